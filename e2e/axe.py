"""What axe-core finds on a page. Does not judge it; the caller does."""

import json

from playwright.sync_api import Page

from e2e.page_build import FRONTEND

SOURCE = FRONTEND / "node_modules" / "axe-core" / "axe.min.js"
# An open menu stands outside of all landmarks, as its pattern has it.
RULES = {"region": {"enabled": False}}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def findings(page: Page) -> list[tuple[str, str]]:
    """Return the impact of each finding, and its rule with the first place and what is wrong there."""
    page.evaluate(SOURCE.read_text(encoding="utf-8") + "\n;undefined")
    result = page.evaluate("options => axe.run(document, options)", {"runOnly": TAGS, "rules": RULES})
    assert result["passes"], "axe-core has looked at nothing"
    return [
        (
            found["impact"],
            f"{found['id']}: {json.dumps(found['nodes'][0]['target'])} {found['nodes'][0].get('failureSummary', '')}",
        )
        for found in result["violations"]
    ]
