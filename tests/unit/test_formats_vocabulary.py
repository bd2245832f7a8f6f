"""The vocabulary: every program and code, one meaning each, and back."""

import json

import pytest

from hedgerow_node.formats import vocabulary
from hedgerow_node.formats.vocabulary_codes import PROGRAM_TYPE_CODES
from hedgerow_node.formats.vocabulary_names import TYPE_NAMES
from hedgerow_protocol import field_readers
from shared import needs_shared, shared


@pytest.mark.parametrize("program", vocabulary.program_codes())
def test_codes_and_tags_are_one_to_one(program: str) -> None:
    codes = PROGRAM_TYPE_CODES[program]
    says = {code: vocabulary.tag_of_code(program, code) for code in codes}
    assert len(set(says.values())) == len(codes)
    for code, meaning in says.items():
        assert meaning is not None
        assert vocabulary.code_of(program, meaning.facet, meaning.tag) == code
        assert vocabulary.tag_of_code(program, code.lower()) == vocabulary.tag_of_code(program, code.upper()) == meaning


@needs_shared
def test_all_known_programs_and_codes_are_here() -> None:
    known = json.loads(shared("data/vocab/tsml-programs-types.json").read_text())
    assert {code.lower() for code in known} == set(vocabulary.program_codes())
    for program, held in known.items():
        for code, name in held["types"].items():
            meaning = vocabulary.tag_of_code(program, code)
            assert meaning is not None, (program, code)
            assert vocabulary.tag_of_type(program, name) == meaning, (program, code, name)


@needs_shared
@pytest.mark.parametrize("file", ["meeting-guide-types.json", "meeting-guide-types-proposed.json"])
def test_all_codes_of_the_specification_are_here(file: str) -> None:
    for code in json.loads(shared(f"data/vocab/{file}").read_text()):
        assert vocabulary.tag_of_code("aa", code) or code in vocabulary.DERIVED_TYPE_CODES


def test_tags_are_tags_with_labels() -> None:
    for table in (vocabulary.FORMATS, vocabulary.FEATURES, vocabulary.COMMUNITIES, vocabulary.EXPERIENCES):
        for tag, label in table.items():
            assert field_readers.tag(tag) == tag
            assert label
            assert label[0].isupper() or label[0].isdigit()
    for language in vocabulary.LANGUAGE_NAMES:
        assert field_readers.language(language) == language
    for program in vocabulary.PROGRAMS.values():
        assert set(program.experiences) <= set(vocabulary.EXPERIENCES)
        assert list(program.experiences) == sorted(program.experiences)
    for tags in TYPE_NAMES.values():
        assert all(vocabulary.facet_of(tag) or tag in vocabulary.LANGUAGE_NAMES for tag in tags.split())


def test_facets_do_not_overlap() -> None:
    tables = [set(vocabulary.FORMATS), set(vocabulary.FEATURES), set(vocabulary.COMMUNITIES)]
    assert sum(map(len, tables)) == len(set.union(*tables))
    assert set(vocabulary.ACCESS_NEEDS) <= set(vocabulary.FEATURES)


def test_labels() -> None:
    assert vocabulary.label_of_tag("hearing-voices") == "Hearing voices"
    assert vocabulary.label_of_tag("wheelchair") == "Wheelchair access"
    assert vocabulary.label_of_tag("es") == "Spanish"
    assert vocabulary.label_of_tag("round-table") == "Round table"


def test_programs_are_found_whatever_their_case() -> None:
    found = vocabulary.find_program(" Al-Anon ")
    assert found is not None
    assert (found.code, found.experiences) == ("al-anon", ("family-of-drinkers",))
    assert vocabulary.find_program("nobody") is None
    assert vocabulary.PROGRAMS["sg"].experiences == ()
