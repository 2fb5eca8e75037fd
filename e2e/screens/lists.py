"""The screens of the list of chats: search, views, menus, several at once."""

from playwright.sync_api import expect

from e2e.screens.stage import Screens, Stage

SCREENS = Screens()
screen = SCREENS.add


@screen("search", "Search with hits")
def search(stage: Stage) -> None:
    stage.open()
    stage.show_chats()
    stage.tab.hook("chat-search").fill(stage.words.search)
    expect(stage.tab.hook("search-hit").first).to_be_visible()


@screen("search-empty", "Search without hits")
def search_empty(stage: Stage) -> None:
    stage.open()
    stage.show_chats()
    stage.tab.hook("chat-search").fill(stage.words.nothing)
    expect(stage.tab.hook("sidebar").get_by_text(stage.words.nothing)).to_be_visible()


@screen("chat-list", "The list of chats")
def chat_list(stage: Stage) -> None:
    stage.open()
    stage.show_chats()


@screen("chat-menu", "The menu of a chat")
def chat_menu(stage: Stage) -> None:
    stage.open()
    stage.chat_menu(2)


@screen("rename", "Renaming in place")
def rename(stage: Stage) -> None:
    stage.open()
    stage.chat_menu(2)
    stage.tab.hook("chat-rename").click()
    expect(stage.tab.hook("title-box")).to_be_focused()


@screen("filing", "Folder and tags")
def filing(stage: Stage) -> None:
    stage.open()
    stage.chat_menu(3)
    stage.tab.hook("chat-file").click()
    expect(stage.tab.page.get_by_role("dialog").last.locator("input").first).to_be_visible()


@screen("clear", "Clearing a conversation")
def clear(stage: Stage) -> None:
    stage.open()
    stage.chat_menu(2)
    stage.tab.hook("chat-clear").click()
    expect(stage.tab.hook("clear-dialog")).to_be_visible()


@screen("deleted", "Deleted, with undo")
def deleted(stage: Stage) -> None:
    stage.open()
    stage.chat_menu(2)
    stage.tab.hook("chat-delete").click()
    expect(stage.tab.page.locator("[data-sonner-toast]")).to_be_visible()


@screen("views", "The views of the list")
def views(stage: Stage) -> None:
    stage.open()
    stage.show_chats()
    stage.tab.hook("chat-views").click()
    expect(stage.tab.hook("view-archived")).to_be_visible()


@screen("folder", "One folder")
def folder(stage: Stage) -> None:
    views(stage)
    stage.tab.page.get_by_role("menuitem", name=stage.words.folder).click()
    expect(stage.tab.hook("chat-view")).to_have_text(stage.words.folder)
    expect(stage.tab.chats()).to_have_count(2)


@screen("archive", "The archive")
def archive(stage: Stage) -> None:
    views(stage)
    stage.tab.hook("view-archived").click()
    expect(stage.tab.chats()).to_have_count(2)


@screen("archive-empty", "An empty archive")
def archive_empty(stage: Stage) -> None:
    for chat in stage.rest.call("GET", "/api/chats/?limit=100&archived=true")["items"]:
        stage.rest.call("DELETE", f"/api/chats/{chat['id']}", status=204)
    views(stage)
    stage.tab.hook("view-archived").click()
    expect(stage.tab.chats()).to_have_count(0)


@screen("bulk-select", "Several chats selected")
def bulk_select(stage: Stage) -> None:
    views(stage)
    stage.tab.hook("select-chats").click()
    for at in (1, 3, 4):
        stage.tab.chats().nth(at).locator("input").check()
    expect(stage.tab.hook("selection-delete")).to_be_enabled()
