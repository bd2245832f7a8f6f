"""Whole ceremonies on the command line: equals found a group, sign in files, change, renew, withdraw."""

from pathlib import Path

import pytest

from command_line import CommandLine

FORM = """
name = "Parents after loss"
summary = "A quiet evening for parents who lost a child."
experiences = ["bereavement", "parenting"]
languages = ["en"]
joining = "ask"
how_to_join = "Write to the library desk and ask for the Thursday circle."

[[meetings]]
weekday = "thursday"
start = "19:30"
end = "21:00"
tz = "Europe/Dublin"
place_name = "Example Library"
street = "1 Example Street"
city = "Exampleton"
"""


@pytest.fixture
def circle(hedgerow: CommandLine, tmp_path: Path) -> dict[str, str]:
    """Three stewards' public keys by name; their key files are NAME.key."""
    (tmp_path / "form.toml").write_text(FORM)
    return {name: hedgerow.json("publish", "key", f"{name}.key")["public"] for name in ("ann", "bo", "cy")}


def found(hedgerow: CommandLine, circle: dict[str, str], *more: str) -> str:
    """Found a group with its listing and publish it; returns the listing's id."""
    stewards = [word for key in circle.values() for word in ("--steward", key)]
    hedgerow.json(
        "publish", "charter", *stewards, "--from", "form.toml", "--sign-with", "ann.key", "--out", "c.txt", *more
    )
    answer = hedgerow.json("publish", "cosign", "c.txt", "--sign-with", "bo.key")
    assert (answer["complete"], answer["published"]) == (True, True)
    return str(answer["listings"][0])


def shown(hedgerow: CommandLine) -> list[dict[str, object]]:
    listings = hedgerow.json("search")["listings"]
    assert isinstance(listings, list)
    return listings


def test_a_group_is_founded_by_a_majority(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    stewards = [word for key in circle.values() for word in ("--steward", key)]
    first = hedgerow.json("publish", "charter", *stewards, "--from", "form.toml", "--out", "c.txt")
    assert [record["kind"] for record in first["records"]] == ["charter", "listing"]
    assert not first["complete"]
    sentence = hedgerow.fails("publish", "submit", "c.txt")
    assert "cannot be published yet" in sentence
    once = hedgerow.json("publish", "cosign", "c.txt", "--sign-with", "cy.key")
    assert (once["complete"], once["published"]) == (False, False)
    assert "2 are needed" in once["records"][0]["missing"]
    assert "2 are needed" in hedgerow.fails("publish", "submit", "c.txt")
    twice = hedgerow.json("publish", "cosign", "c.txt", "--sign-with", "ann.key")
    assert (twice["complete"], twice["published"]) == (True, True)
    (listing,) = shown(hedgerow)
    assert listing["id"] == twice["listings"][0]
    assert listing["name"] == "Parents after loss"


def test_who_reads_the_file_reads_what_is_signed(hedgerow: CommandLine, circle: dict[str, str], tmp_path: Path) -> None:
    hedgerow.json("publish", "charter", "--steward", circle["ann"], "--steward", circle["bo"], "--from", "form.toml")
    path = tmp_path / "charter.hedgerow.txt"
    text = path.read_text()
    assert "Parents after loss" in text
    assert "every Thursday 19:30–21:00 (Europe/Dublin)" in text
    path.write_text(text.replace("Parents after loss", "Parents after midnight"))
    out, _ = hedgerow.run("publish", "cosign", path)
    assert "Parents after loss" in out
    assert "Parents after midnight" not in out
    assert (
        "if one of them is lost"
        in hedgerow.run("publish", "charter", "--steward", circle["ann"], "--steward", circle["bo"])[0]
    )


def test_strangers_and_nodes_cannot_sign(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    hedgerow.json("setup", "--no-questions")
    hedgerow.json("publish", "key", "dee.key")
    hedgerow.json("publish", "charter", "--steward", circle["ann"], "--steward", circle["bo"], "--out", "c.txt")
    assert "not one of the stewards" in hedgerow.fails("publish", "cosign", "c.txt", "--sign-with", "dee.key")
    node = hedgerow.data / "node.key"
    assert "a node key cannot sign for a group" in hedgerow.fails("publish", "cosign", "c.txt", "--sign-with", node)
    assert "a node key cannot sign for a group" in hedgerow.fails("publish", "charter", "--steward", node)
    assert "signed by" not in hedgerow.run("publish", "cosign", "c.txt")[0].lower().replace("signed by nobody", "")


def test_copies_signed_apart_are_joined(hedgerow: CommandLine, circle: dict[str, str], tmp_path: Path) -> None:
    stewards = [word for key in circle.values() for word in ("--steward", key)]
    hedgerow.json("publish", "charter", *stewards, "--from", "form.toml", "--out", "c.txt")
    for name in ("ann", "bo"):
        hedgerow.json("publish", "cosign", "c.txt", "--sign-with", f"{name}.key", "--out", f"c-{name}.txt")
    answer = hedgerow.json("publish", "cosign", "c-ann.txt", "c-bo.txt", "--out", "joined.txt")
    assert (answer["complete"], answer["published"]) == (True, True)
    assert len(shown(hedgerow)) == 1


def test_a_change_needs_a_majority_too(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    listing = found(hedgerow, circle)
    change = ["publish", "draft", "--change", listing, "--set", "summary=New words", "--out", "change.txt"]
    assert not hedgerow.json(*change, "--sign-with", "ann.key")["complete"]
    assert "2 are needed" in hedgerow.fails("publish", "submit", "change.txt")
    assert "quiet evening" in str(shown(hedgerow))
    assert hedgerow.json("publish", "cosign", "change.txt", "--sign-with", "cy.key")["published"]
    (after,) = shown(hedgerow)
    assert after["id"] == listing
    assert "New words" in str(after)
    assert hedgerow.json("publish", "submit", "change.txt")["published"], "to publish again does no harm"


def test_from_file_to_file_without_a_node(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    found(hedgerow, circle)
    answer = hedgerow.json("publish", "draft", "--change", "c.txt", "--set", "name=Another name", "--out", "d.txt")
    assert [record["kind"] for record in answer["records"]] == ["listing"]
    for name in ("bo", "cy"):
        answer = hedgerow.json("publish", "cosign", "d.txt", "--sign-with", f"{name}.key")
    assert answer["published"]
    (after,) = shown(hedgerow)
    assert after["name"] == "Another name"


def test_stewards_change_with_both_majorities(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    listing = found(hedgerow, circle)
    dee = hedgerow.json("publish", "key", "dee.key")["public"]
    new = ["--steward", circle["cy"], "--steward", dee]
    hedgerow.json("publish", "charter", "--change", listing, *new, "--out", "new.txt")
    for name, complete in (("dee", False), ("cy", False), ("bo", True)):
        answer = hedgerow.json("publish", "cosign", "new.txt", "--sign-with", f"{name}.key")
        assert answer["complete"] is complete, name
    assert answer["published"]
    assert len(shown(hedgerow)) == 1, "the listing stays under its new charter"
    hedgerow.json("publish", "renew", listing, "--out", "renewal.txt")
    assert "not one of the stewards" in hedgerow.fails("publish", "cosign", "renewal.txt", "--sign-with", "ann.key")
    for name in ("dee", "cy"):
        answer = hedgerow.json("publish", "cosign", "renewal.txt", "--sign-with", f"{name}.key")
    assert answer["published"]
    (after,) = shown(hedgerow)
    assert after["id"] == listing


def test_withdrawing_needs_a_majority(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    listing = found(hedgerow, circle)
    hedgerow.json("publish", "withdraw", listing, "--sign-with", "ann.key", "--out", "w.txt")
    assert len(shown(hedgerow)) == 1
    assert hedgerow.json("publish", "cosign", "w.txt", "--sign-with", "bo.key")["published"]
    assert shown(hedgerow) == []


def test_a_group_founds_itself_anew(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    old = found(hedgerow, circle)
    hedgerow.json(
        "publish", "charter", "--found-anew", old, "--steward", circle["cy"], "--sign-with", "cy.key", "--out", "n.txt"
    )
    assert hedgerow.json("publish", "submit", "n.txt")["published"]
    names = {listing["name"] for listing in shown(hedgerow)}
    assert names == {"Parents after loss"}
    assert len(shown(hedgerow)) == 2


def test_the_directory_key_publishes_at_once(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    answer = hedgerow.json("publish", "draft", "--directory", "--from", "form.toml")
    (listing,) = answer["listings"]
    assert hedgerow.json("publish", "draft", "--directory", "--change", listing, "--set", "name=New")["listings"] == [
        listing
    ]
    (after,) = shown(hedgerow)
    assert after["name"] == "New"
    assert hedgerow.json("publish", "renew", listing)["published"]
    assert hedgerow.json("publish", "withdraw", listing)["published"]
    assert shown(hedgerow) == []


def test_the_directory_key_cannot_speak_for_a_group(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    listing = found(hedgerow, circle)
    sentence = hedgerow.fails("publish", "draft", "--directory", "--change", listing, "--set", "name=Taken over")
    assert "not signed by this node's directory key" in sentence
    answer = hedgerow.json("publish", "withdraw", listing)
    assert not answer["published"]
    key = hedgerow.data / "directory.key"
    assert "not one of the stewards" in hedgerow.fails(
        "publish", "cosign", "withdrawal.hedgerow.txt", "--sign-with", key
    )
    (after,) = shown(hedgerow)
    assert after["name"] == "Parents after loss"


def test_private_details_are_withheld_and_told(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    note = "group_notes=Write to someone@example.org"
    draft = ["publish", "draft", "--directory", "--from", "form.toml", "--set", note]
    answer = hedgerow.json(*draft)
    assert any("email" in line for line in answer["notes"])
    assert "someone@example.org" not in str(shown(hedgerow))
    assert not hedgerow.json(*draft, "--keep", "email")["notes"]
    assert "someone@example.org" in str(shown(hedgerow))


def test_who_signs_is_told_of_private_details(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    kept = ["--set", "group_notes=Write to someone@example.org", "--keep", "email"]
    hedgerow.json("publish", "charter", "--steward", circle["ann"], "--steward", circle["bo"], "--out", "c.txt")
    hedgerow.json("publish", "draft", "--charter", "c.txt", "--from", "form.toml", *kept, "--out", "d.txt")
    answer = hedgerow.json("publish", "cosign", "d.txt", "--sign-with", "ann.key")
    assert any("someone@example.org" in note for note in answer["notes"])


def test_the_template_is_a_form(hedgerow: CommandLine, tmp_path: Path) -> None:
    out, _ = hedgerow.run("publish", "draft", "--template")
    (tmp_path / "empty.toml").write_text(out)
    assert "name: Say the group's name." in hedgerow.fails("publish", "draft", "--from", "empty.toml", "--directory")
    answer = hedgerow.json("publish", "draft", "--from", "empty.toml", "--set", "name=A circle", "--directory")
    assert answer["published"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["draft"], "--from"),
        (["draft", "--from", "form.toml"], "Say who signs"),
        (["draft", "--set", "name"], "no equals sign"),
        (["draft", "--from", "none.toml", "--directory"], "none.toml"),
        (["draft", "--set", "naem=x", "--directory"], "Did you mean name"),
        (["draft", "--set", "name=x", "--days", "500", "--directory"], "--days"),
        (["draft", "--set", "name=x", "--change", "nonsense"], "neither a file here nor the id"),
        (["charter"], "Name the stewards"),
        (["charter", "--steward", "abc"], "abc"),
        (["cosign", "form.toml"], "not a file of Hedgerow records"),
        (["submit", "none.txt"], "none.txt"),
        (["renew", "a" * 32], "no listings"),
    ],
)
def test_mistakes_are_sentences(
    hedgerow: CommandLine, circle: dict[str, str], arguments: list[str], words: str
) -> None:
    assert words in hedgerow.fails("publish", *arguments)


def test_a_threshold_below_a_majority_is_refused(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    stewards = [word for key in circle.values() for word in ("--steward", key)]
    assert "more than half" in hedgerow.fails("publish", "charter", *stewards, "--threshold", "1")


def test_a_new_version_keeps_the_names_calendars_know(hedgerow: CommandLine, circle: dict[str, str]) -> None:
    listing = found(hedgerow, circle)
    before = hedgerow.json("search")["listings"][0]["meetings"][0]["slug"]
    change = ["publish", "draft", "--change", listing, "--from", "form.toml", "--set", "name=Renamed", "--out", "d.txt"]
    hedgerow.json(*change, "--sign-with", "ann.key")
    assert hedgerow.json("publish", "cosign", "d.txt", "--sign-with", "bo.key")["published"]
    after = hedgerow.json("search")["listings"][0]
    assert (after["name"], after["meetings"][0]["slug"]) == ("Renamed", before)
