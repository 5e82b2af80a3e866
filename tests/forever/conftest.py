"""Cases on real servers, and workers that die or stumble at the worst moment."""

from tests.workflow.conftest import drill, office

__all__ = ["drill", "office"]
