"""The page as a test sees it: by the hooks that the contract fixes, and by nothing else.

Does not assert; tests do.
"""

from playwright.sync_api import Locator, Page

from e2e.witness import Witness


class ChatPage:
    """One tab. `url` is the origin it is served from, `witness` what watches it."""

    def __init__(self, page: Page, url: str, witness: Witness) -> None:
        self.page = page
        self.url = url
        self.witness = witness

    def open(self, chat_id: str | None = None) -> "ChatPage":
        """Go to a chat, or to a new one, and wait until its composer is there."""
        self.page.goto(f"{self.url}/c/{chat_id}" if chat_id else f"{self.url}/")
        self.composer.wait_for()
        return self

    @property
    def chat_id(self) -> str:
        """The id in the address."""
        return self.page.url.rstrip("/").rsplit("/", 1)[-1]

    def hook(self, name: str) -> Locator:
        """Return what carries this `data-testid`."""
        return self.page.get_by_test_id(name)

    @property
    def composer(self) -> Locator:
        """The text box."""
        return self.hook("composer")

    def send(self, text: str) -> None:
        """Write a message and send it with the button; returns when the address names the chat."""
        self.composer.fill(text)
        self.hook("send").click()
        self.page.wait_for_url("**/c/*")

    def messages(self, role: str | None = None, status: str | None = None) -> Locator:
        """Return the messages shown, oldest first."""
        chosen = '[data-testid="message"]'
        chosen += f'[data-role="{role}"]' if role else ""
        chosen += f'[data-status="{status}"]' if status else ""
        return self.page.locator(chosen)

    @property
    def answer(self) -> Locator:
        """The last answer."""
        return self.messages("assistant").last

    @property
    def content(self) -> Locator:
        """The text of the last answer."""
        return self.answer.get_by_test_id("content")

    @property
    def question(self) -> Locator:
        """The last message of the user."""
        return self.messages("user").last

    def chats(self) -> Locator:
        """Return the chats in the sidebar, as they stand."""
        return self.hook("chat-item")

    def chat(self, chat_id: str) -> Locator:
        """Return one chat in the sidebar."""
        return self.page.locator(f'[data-testid="chat-item"][data-chat-id="{chat_id}"]')

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        width = self.page.evaluate(
            "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
        )
        return int(width)
