"""Turns a template and its values into an answer. Jinja2 is imported with the first page, not with the server."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from aiohttp import web

from hedgerow_node.http.answers import answer_once
from hedgerow_node.http.languages import Language, Languages
from hedgerow_node.http.problems import Problem
from hedgerow_node.http.webui import WebUi

if TYPE_CHECKING:
    from jinja2 import Environment

HTML = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Community:
    """How the pages name the people behind this node."""

    name: str
    about: str = ""


class View:
    """One request's language and addresses; what every template may use."""

    def __init__(self, pages: "Pages", request: web.Request, *, keeper: bool = False) -> None:
        self._pages = pages
        self.language, self.chosen = pages.languages.choose(
            request.query.get("lang", "")[:35], request.headers.get("Accept-Language", "")[:1_000]
        )
        self.keeper = keeper
        self.path = request.path.removeprefix(pages.prefix) or "/"
        self._parameters = tuple(
            (name, value) for name, value in request.query.items() if name not in ("lang", "cursor")
        ) if request.method == "GET" else ()  # fmt: skip

    @property
    def t(self) -> Any:
        return self.language.t

    def url(self, path: str, **parameters: object) -> str:
        """An address of this node, in the chosen language."""
        return self._url(path, list(parameters.items()), self.chosen)

    def asset(self, name: str) -> str:
        """The address of a built file; empty when the UI is not built."""
        path = self._pages.webui.asset_path(name)
        return f"{self._pages.prefix}/{path}" if path else ""

    def globals(self, *, index: bool) -> dict[str, Any]:
        """The names listed in the templates' contract."""
        pages = self._pages
        return {
            "t": self.language.t,
            "has": self.language.has,
            "url": self.url,
            "asset": self.asset,
            "client_messages": self.language.messages,
            "community": pages.community,
            "exit_url": pages.exit_url,
            "keeper": self.keeper,
            "page": {
                "lang": self.language.code,
                "dir": self.language.dir,
                "path": self.path,
                "prefix": pages.prefix,
                "chosen": self.chosen,
                "canonical": f"{pages.base_url}{quote(self.path)}" if pages.base_url and index else "",
                "languages": [self._language_link(pages.languages.get(code)) for code in pages.languages.offered],
                "robots": "index" if index and not self.keeper else "noindex",
            },
        }

    def _language_link(self, language: Language) -> dict[str, Any]:
        return {
            "code": language.code,
            "name": language.name,
            "dir": language.dir,
            "url": self._url(self.path, list(self._parameters), language.code),
            "current": language.code == self.language.code,
        }

    def _url(self, path: str, parameters: list[tuple[str, object]], lang: str) -> str:
        pairs = [(name, str(value)) for name, value in parameters if value not in (None, "")]
        if lang:
            pairs.append(("lang", lang))
        query = f"?{urlencode(pairs)}" if pairs else ""
        return f"{self._pages.prefix}{path}{query}"


class Pages:
    """Renders templates of the web UI."""

    def __init__(
        self,
        webui: WebUi,
        languages: Languages,
        community: Community,
        *,
        prefix: str = "",
        base_url: str = "",
        exit_url: str = "",
    ) -> None:
        self.webui = webui
        self.languages = languages
        self.community = community
        self.prefix = prefix
        self.base_url = base_url
        self.exit_url = exit_url
        self._environment: Environment | None = None

    def view(self, request: web.Request, *, keeper: bool = False) -> View:
        """What a handler needs to name things in the visitor's language."""
        return View(self, request, keeper=keeper)

    async def page(
        self,
        request: web.Request,
        view: View,
        template: str,
        values: dict[str, Any],
        *,
        status: int = 200,
        index: bool = False,
    ) -> web.Response:
        """Render a page. Pages are never stored by browsers or proxies: what somebody looked at stays nowhere."""
        text = self.render(view, template, values, index=index)
        return await self.answer(request, view, text, status=status, index=index)

    async def answer(
        self, request: web.Request, view: View, text: str, *, status: int = 200, index: bool = False
    ) -> web.Response:
        """Send a rendered page."""
        # A keeper's page holds the session's form token; its compressed size could tell of it (the BREACH attack).
        response = await answer_once(request, text.encode(), HTML, status=status, compress=not view.keeper)
        response.headers["Content-Language"] = view.language.code
        response.headers["Vary"] = "Accept-Encoding, Accept-Language"
        if not index:
            response.headers["X-Robots-Tag"] = "noindex"
        return response

    def render(self, view: View, template: str, values: dict[str, Any], *, index: bool = False) -> str:
        """The HTML of a template with these values."""
        return self._load().get_template(template).render({**view.globals(index=index), **values})

    async def error(self, request: web.Request, problem: Problem) -> web.Response:
        """A calm page that says what happened and where to go from here."""
        view = self.view(request)
        t, has = view.language.t, view.language.has
        heading, text = f"error.{problem.status}.heading", f"error.{problem.status}.text"
        values = {
            "status": problem.status,
            "heading": t(heading if has(heading) else "error.heading"),
            "text": t(text) if has(text) and not problem.own_words and problem.status != 400 else problem.detail,
            "what_next": [
                {"label": view.t("nav.directory"), "url": view.url("/")},
                {"label": view.t("nav.help_now"), "url": view.url("/help-now")},
            ],
        }
        return await self.page(request, view, "error.html", values, status=problem.status)

    def _load(self) -> "Environment":
        if self._environment is None:
            from jinja2 import Environment, FileSystemLoader, StrictUndefined

            self._environment = Environment(
                loader=FileSystemLoader(self.webui.templates),
                autoescape=True,
                trim_blocks=True,
                lstrip_blocks=True,
                undefined=StrictUndefined,
                auto_reload=False,
            )
        return self._environment
