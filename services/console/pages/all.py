"""Every page of the console, one module for each part of the work."""

from services.console.pages import (
    account,
    admin,
    admin_rules,
    admin_templates,
    admin_tree,
    boards,
    bulk,
    case,
    intake,
    listing,
    meeting,
    notifications,
    public,
    signing,
    talking,
    work,
)
from services.console.pages.routing import At

ROUTES: tuple[At, ...] = (
    *signing.PAGES,
    *account.PAGES,
    *notifications.PAGES,
    *public.PAGES,
    *admin.PAGES,
    *admin_rules.PAGES,
    *admin_templates.PAGES,
    *admin_tree.PAGES,
    *work.PAGES,
    *meeting.PAGES,
    *boards.PAGES,
    *intake.PAGES,
    *talking.PAGES,
    *bulk.PAGES,
    *listing.PAGES,
    *case.PAGES,
)
"""In the order in which addresses are tried."""
