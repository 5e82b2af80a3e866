"""Every page of the console, one module for each part of the work."""

from services.console.pages import account, case, intake, listing, meeting, notifications, public, signing, work
from services.console.pages.routing import At

ROUTES: tuple[At, ...] = (
    *signing.PAGES,
    *account.PAGES,
    *notifications.PAGES,
    *public.PAGES,
    *work.PAGES,
    *meeting.PAGES,
    *intake.PAGES,
    *listing.PAGES,
    *case.PAGES,
)
"""In the order in which addresses are tried."""
