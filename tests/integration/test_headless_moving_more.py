"""A community's node comes back after its room was rescued, and a community goes to another machine with all it has."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_headless_moving import a_room, kept_at, no_trouble, node_id

from headless_clients import neighbours
from running_node import environment

pytestmark = pytest.mark.slow


def hedgerow(*words: object) -> None:
    """The keeper at the command line."""
    command = [sys.executable, "-m", "hedgerow_node", *map(str, words)]
    subprocess.run(command, check=True, capture_output=True, env=environment())


def test_a_node_that_was_away_comes_back_to_a_room_that_has_moved(tmp_path: Path) -> None:
    with neighbours(tmp_path, "Ash", "Beech", "Cedar") as three:
        _, beech, _ = three
        room, ann, ben, cleo = a_room(three)
        ann.call("send", room=room, text="one")
        for each in (ann, ben, cleo):
            each.sees(room, "one")
        # What only Ben's own node has seen, as it is cut off.
        three[0].switch_off()
        three[2].switch_off()
        ben.call("send", room=room, text="two")
        ben.sees(room, "one", "two")
        beech.switch_off()
        three[0].switch_on()
        three[2].switch_on()
        to = node_id(ann, room)
        for each in (ann, cleo):
            each.online()
            each.call("moveRoom", room=room, node=to)
        kept_at(ann, room, here=True)
        kept_at(cleo, room, here=False)
        cleo.call("send", room=room, text="three")
        ann.sees(room, "one", "three")
        beech.switch_on()
        kept_at(ben, room, here=False)
        for each in (ann, cleo):
            each.sees(room, "one", "three", "two")
        ben.call("send", room=room, text="four")
        for each in (ann, cleo):
            each.sees(room, "one", "three", "two", "four")
        ben.until(lambda: sorted(ben.texts(room)) == ["four", "one", "three", "two"], "all of it, once")
        no_trouble(ann, ben, cleo)


def test_a_community_goes_to_another_machine(tmp_path: Path) -> None:
    with neighbours(tmp_path, "Ash", "Beech", "Cedar") as three:
        _, beech, _ = three
        room, ann, ben, cleo = a_room(three)
        ann.call("send", room=room, text="before")
        for each in (ann, ben, cleo):
            each.sees(room, "before")
        node = beech.node.get("api/v1/status")["node_id"]
        beech.switch_off()
        cleo.call("send", room=room, text="on the way")
        hedgerow("backup", tmp_path / "all.tar", "--data", beech.data)
        shutil.rmtree(beech.data)
        beech.data = tmp_path / "another machine" / "data"
        hedgerow("restore", tmp_path / "all.tar", "--data", beech.data)
        beech.switch_on()
        for each in (ann, ben, cleo):
            each.sees(room, "before", "on the way")
        assert beech.node.get("api/v1/status")["node_id"] == node
        ben.call("send", room=room, text="after")
        for each in (ann, cleo):
            each.sees(room, "before", "on the way", "after")
        assert ben.call("places", room=room)["here"]
        no_trouble(ann, ben, cleo)
