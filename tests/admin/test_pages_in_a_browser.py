"""The review pages in a real browser: charts are drawn, nothing overflows, light and dark work, no request leaves.

With COLLOQUY_SCREENSHOTS every page is checked in every scheme and width, and screenshots are kept in that folder.
"""

from __future__ import annotations

import io
import os
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from PIL import Image
from playwright.sync_api import Browser, Page

from config.reviewers import GROUP
from conversations.admin.review.charts import COLOURS
from conversations.models import Budget, User
from conversations.services.billing import ledger_audit
from conversations.services.saved_filters import Filters, save_filter
from tests import browser, seeding
from tests.clients import Api
from tests.processes import ServerProcess

FOLDER = os.environ.get("COLLOQUY_SCREENSHOTS")
CHARTS = ("cost", "tokens", "users", "models", "cache", "errors")
SAID = """# Tea

Some *text* with ![a picture](http://elsewhere.example/one.png), <img src="http://elsewhere.example/two.png">
and [a link](javascript:alert(1)).

| kind | colour |
|---|---|
| green | green |

```python
print("tea" * 200)
```
"""


@pytest.fixture(scope="module")
def used(database: str) -> tuple[Group, User]:
    """Provide a group with forty days of usage, and one of its users."""
    name = f"tea-{uuid.uuid4().hex[:8]}"
    seeding.seed(name, 600, users=12, days=40)
    users = User.objects.filter(username__startswith=name)
    group = Group.objects.create(name=name)
    group.user_set.set(users)
    Budget.objects.create(group=group, limit=60)
    Budget.objects.create(user=users[0], limit=1, period="day")
    ledger_audit.audit()
    return group, users[0]


@pytest.fixture(scope="module")
def pages(used: tuple[Group, User], uvicorn_server: ServerProcess) -> dict[str, str]:
    """Provide the paths of the admin's pages by name."""
    group, user = used
    base = "/admin/conversations"
    with Api(uvicorn_server.url) as api:
        conversation = api.conversation(title="Tea & <b>biscuits</b>")
        turn = api.ask(SAID, conversation)["id"]
        api.post(f"conversations/{conversation}/turns/?wait=true", {"content": "[[sandbox: error=529; no_retry]]"})
        asked = {"schema": {"type": "object", "properties": {"name": {"type": "string"}}}, "content": "Jane"}
        extraction = api.post("extraction/extractions/?wait=true", asked).json()["id"]
    return {
        "dashboard": f"/admin/?group={group.pk}",
        "days": f"{base}/usage/review/?group={group.pk}",
        "users": f"{base}/usage/review/?group={group.pk}&by=user",
        "conversations": f"{base}/usage/review/?group={group.pk}&user={user.pk}&by=conversation",
        "changes": f"{base}/usage/changes/?group={group.pk}&by=conversation",
        "saved": f"{base}/savedfilter/",
        "failed": f"{base}/turn/?error=any",
        "ledger": f"{base}/usage/?group={group.pk}",
        "budgets": f"{base}/budget/",
        "conversation": f"{base}/conversation/{conversation}/change/",
        "turn": f"{base}/turn/{turn}/change/",
        "transcript": f"{base}/turn/{turn}/transcript/",
        "extractions": "/admin/extraction/extraction/",
        "extraction": f"/admin/extraction/extraction/{extraction}/change/",
    }


@pytest.fixture(scope="module")
def sessions(database: str) -> dict[str, str]:
    """Provide the session keys of an administrator and of a member of the reviewers' group."""
    admin = User.objects.create_superuser(f"admin-{uuid.uuid4().hex[:8]}")
    save_filter(owner=admin, name="Opus & others", filters=Filters("changes", "7-days", "by=model"), shared=True)
    reviewer = User.objects.create_user(f"reviewer-{uuid.uuid4().hex[:8]}", is_staff=True)
    reviewer.groups.add(Group.objects.get(name=GROUP))
    return {"admin": session(admin), "reviewer": session(reviewer)}


def session(user: User) -> str:
    """Return the session key of a user who has logged in."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


class Seen:
    """A browser page, with the errors that it logged and the requests that it sent to other hosts since `open`."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.page = page
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.on("request", self._asked)

    def _asked(self, request: Any) -> None:
        if urlsplit(request.url).hostname not in ("127.0.0.1", None):
            self.elsewhere.append(request.url)

    def open(self, url: str) -> None:
        """Load a page, and return when its fonts are loaded, too."""
        self.complaints.clear()
        self.elsewhere.clear()
        assert self.page.goto(url).status == 200, url  # type: ignore[union-attr]
        self.page.wait_for_function("() => document.fonts.status === 'loaded'")

    def resize(self, width: int) -> None:
        """Resize the window to a width in pixels, without loading the page again."""
        self.page.set_viewport_size({"width": width, "height": HEIGHT})
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def too_wide(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        width = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        return int(width)

    def picture(self, name: str, *, whole: bool = False) -> Image.Image:
        """Take a screenshot: losslessly and of the whole page if `whole` is set or pictures are kept."""
        exact = whole or bool(FOLDER)
        kind: dict[str, Any] = {"full_page": True} if exact else {"type": "jpeg", "quality": 30}
        data = self.page.screenshot(**kind)
        if FOLDER:
            Path(FOLDER).mkdir(parents=True, exist_ok=True)
            (Path(FOLDER) / f"{name}.png").write_bytes(data)
        return Image.open(io.BytesIO(data)).convert("RGB")

    def boxes(self, selector: str) -> list[tuple[float, float, float, float]]:
        """Return the boxes of the elements on the page: left, top, right and bottom, in pixels."""
        return [tuple(box) for box in self.page.locator(selector).evaluate_all(BOXES)]


BOXES = """(elements) => elements.map((each) => {
    const { left, top, right, bottom } = each.getBoundingClientRect();
    return [left + scrollX, top + scrollY, right + scrollX, bottom + scrollY];
})"""


def drawn(picture: Image.Image, box: tuple[float, float, float, float]) -> int:
    """Return the number of pixels in a part of a picture that have a chart's colours."""
    part = picture.crop(box)
    colours = {tuple(bytes.fromhex(colour[1:])) for colour in COLOURS}
    found: Any = part.getcolors(maxcolors=part.width * part.height)
    return sum(count for count, colour in found if colour in colours)


def brightness(picture: Image.Image) -> float:
    """Return the median brightness of a picture, 0 to 255."""
    return float(sorted(picture.resize((100, 100)).convert("L").tobytes())[5000])


WIDE, NARROW, HEIGHT = 1440, 420, 900  # pixels
EVERY = (
    *("dashboard", "days", "users", "conversations", "changes", "saved", "failed", "ledger", "budgets"),
    *("conversation", "turn", "transcript", "extractions", "extraction"),
)
WITH_AXE = ("dashboard", "changes")
SOME = ("dashboard", "days", "changes", "budgets", "conversation")


@pytest.mark.parametrize(
    ("who", "scheme", "widths", "names"),
    [("admin", "light", (WIDE, NARROW), EVERY), ("reviewer", "dark", (NARROW, WIDE), SOME)],
    ids=["admin", "reviewer"],
)
def test_they_look_right(
    pages: dict[str, str],
    sessions: dict[str, str],
    uvicorn_server: ServerProcess,
    chromium: Browser,
    who: str,
    scheme: Any,
    widths: tuple[int, int],
    names: tuple[str, ...],
) -> None:
    context = browser.unused_context(chromium)
    context.add_cookies([{"name": "sessionid", "value": sessions[who], "url": uvicorn_server.url}])
    with context.new_page() as page:
        page.emulate_media(color_scheme=scheme)
        seen = Seen(page)
        seen.resize(widths[0])
        for name in EVERY if FOLDER else names:
            seen.open(uvicorn_server.url + pages[name])
            check(seen, name, scheme, widths[0])
            seen.resize(widths[1])
            check(seen, name, scheme, widths[1])
            widths = widths[1], widths[0]  # saves a resize: the next page opens in the window's present width


def check(seen: Seen, name: str, scheme: str, width: int) -> None:
    """Check the page that is shown: errors, requests to other hosts, width, contrast and charts."""
    picture = seen.picture(f"{name}-{scheme}-{width}", whole=name == "dashboard")
    assert seen.too_wide() <= 0, (name, width)
    assert (brightness(picture) > 128) == (scheme == "light"), (name, width)
    assert seen.complaints == [], (name, width)
    assert seen.elsewhere == [], (name, width)
    if name in WITH_AXE and width == WIDE:
        rules = browser.COLOURS if scheme == "dark" else ()
        assert browser.hindrances(seen.page, ".review", rules) == [], name
    if name == "dashboard":
        boxes = seen.boxes(", ".join(f"#chart-{id} canvas" for id in CHARTS))
        assert len(boxes) == len(CHARTS)
        assert min(drawn(picture, box) for box in boxes) > 100, width
