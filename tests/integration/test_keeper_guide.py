"""The keeper's guide is true: its ceremony is run as it stands, and every command in the documents is understood."""

import re
import shlex
from pathlib import Path

import pytest

from command_line import CommandLine
from hedgerow_node.cli import main
from hedgerow_node.cli.parser import COMMANDS, parse

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
ANSWERS = {
    "name": '"Thursday circle"',
    "summary": '"A quiet evening after a loss."',
    "experiences": '["bereavement"]',
    "weekday": '"thursday"',
    "start": '"19:30"',
    "end": '"21:00"',
    "tz": '"Europe/Dublin"',
    "city": '"Exampleton"',
}


def steps_of(page: Path) -> dict[str, list[list[str]]]:
    """The commands in the indented blocks below each heading, as words without ``hedgerow``."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        for start in ("    hedgerow ", "    python3 node "):
            if line.startswith(start):
                found.setdefault(heading, []).append(shlex.split(line.removeprefix(start), comments=True))
    return found


CEREMONY = steps_of(ROOT / "docs" / "keeper.md")


class Guide:
    """Stewards at one table, who type what the guide says."""

    def __init__(self, hedgerow: CommandLine, folder: Path) -> None:
        self.hedgerow = hedgerow
        self.folder = folder
        self.listing = "LISTING"

    def step(self, words: list[str], *, code: int = 0) -> str:
        words = [self.listing if word == "LISTING" else word for word in words]
        target = words.pop() if ">" in words else ""
        words = [word for word in words if word != ">"]
        self.hedgerow.capsys.readouterr()
        ended = main(words)
        out, err = self.hedgerow.capsys.readouterr()
        assert ended == code, f"{words} ended with {ended}: {out} {err}"
        assert "Traceback" not in out + err
        if target:
            for name, value in ANSWERS.items():
                out, filled = re.subn(rf"^{name} = .*$", f"{name} = {value}", out, count=1, flags=re.MULTILINE)
                assert filled, f"the template has no {name}"
            (self.folder / target).write_text(out, encoding="utf-8")
        return out + err

    def do(self, heading: str) -> str:
        """Every step below a heading; what the last one said."""
        said = ""
        for words in CEREMONY[heading]:
            said = self.step(words)
        return said

    def shown(self) -> list[dict[str, object]]:
        listings = self.hedgerow.json("search")["listings"]
        assert isinstance(listings, list)
        return listings


@pytest.fixture
def guide(hedgerow: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guide:
    monkeypatch.setenv("HEDGEROW_DATA", str(hedgerow.data))
    guide = Guide(hedgerow, tmp_path)
    guide.do("Keys")
    return guide


def test_the_ceremony_of_the_guide(guide: Guide) -> None:
    *before, submit = CEREMONY["Found the group"]
    for words in before[:-1]:
        guide.step(words)
    assert "3 are needed" in guide.step(submit, code=1), "submitted too early, it says what is missing"
    guide.step(before[-1])
    assert "Published" in guide.step(submit)
    (listing,) = guide.shown()
    guide.listing = str(listing["id"])
    assert (listing["name"], listing["threshold"], listing["stewards"]) == ("Thursday circle", 3, 5)

    guide.do("Change the text")
    (listing,) = guide.shown()
    assert "Tea from seven" in str(listing["summary"])
    guide.do("Confirm it")
    guide.do("Change the stewards")
    guide.do("Begin again")
    assert {each["name"] for each in guide.shown()} == {"Thursday circle"}
    assert len(guide.shown()) == 2
    guide.do("Take it back")
    (listing,) = guide.shown()
    assert listing["id"] != guide.listing, "the old one is gone, the one founded anew stays"


def test_two_changes_of_stewards_are_a_dispute(guide: Guide) -> None:
    guide.do("Found the group")
    guide.listing = str(guide.shown()[0]["id"])
    for out, third in (("one.txt", "ash.pub"), ("two.txt", "birch.pub")):
        keys = ["--steward", "cedar.pub", "--steward", "dogwood.pub", "--steward", third]
        guide.step(["publish", "charter", "--change", "LISTING", *keys, "--out", out])
        for name in ("cedar", "dogwood", third.removesuffix(".pub")):
            guide.step(["publish", "cosign", out, "--sign-with", f"{name}.key"])
    assert "dispute" not in guide.step(["publish", "submit", "one.txt"])
    assert "in dispute now" in guide.step(["publish", "submit", "two.txt"])
    (listing,) = guide.shown()
    assert (listing["in_dispute"], listing["name"], listing["meetings"]) == (True, "Thursday circle", [])
    for change in (["draft", "--set", "name=Another"], ["charter", "--steward", "cedar.pub"]):
        assert "--found-anew" in guide.step(["publish", *change, "--change", "LISTING"], code=1)
    guide.do("Take it back")
    assert guide.shown() == []


def test_a_key_that_signed_already_is_told(guide: Guide) -> None:
    for words in CEREMONY["Found the group"][:2]:
        guide.step(words)
    again = ["publish", "cosign", "our-group.hedgerow.txt", "--sign-with", "ash.key"]
    assert "had signed it already" in guide.step(again)


def test_a_public_file_holds_no_secret_and_is_never_written_over(guide: Guide) -> None:
    assert "secret" not in (guide.folder / "ash.pub").read_text()
    said = guide.step(["publish", "charter", "--steward", "ash.pub", "--sign-with", "ash.pub"], code=1)
    assert "only the public part" in said
    (guide.folder / "ash.key").unlink()
    assert "another key" in guide.step(["publish", "key", "ash.key"], code=1)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_the_documents_is_understood(page: Path) -> None:
    commands = [words for steps in steps_of(page).values() for words in steps]
    inline = re.findall(r"`(?:hedgerow|python3 node) ([^`…]+)`", page.read_text(encoding="utf-8"))
    for each in inline:
        words = shlex.split(each)
        if re.fullmatch(r"v\d+", words[-1]):
            continue  # a label that keeps signatures of one use apart, like `hedgerow record v1`; not a command
        assert words[0].startswith("-") or words[0] in COMMANDS
        commands += [words] if len(words) > 1 else []  # a single word only names a command
    for words in commands:
        if ">" in words:
            words = words[: words.index(">")]
        if words and not {"--help", "--version"} & set(words):
            parse(words, {})
