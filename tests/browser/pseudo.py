"""A language for tests: accented, 40 % longer, from right to left."""

import json
import re
from pathlib import Path

CODE = "en-XB"
_ACCENTED = str.maketrans("aceinosuyACEINOSU", "áçéíñóšúýÁÇÉÍÑÓŠÚ")
_PLACE = re.compile(r"(\{\{\w+\}\})")


def pseudo_text(text: str) -> str:
    """``Find a group`` → ``[Fíñd á gróúp ~~~~~]``; places stay as they are."""
    parts = [part if _PLACE.fullmatch(part) else part.translate(_ACCENTED) for part in _PLACE.split(text)]
    return f"[{''.join(parts)} {'~' * (len(text) * 2 // 5 + 1)}]"


def write(source: Path, target: Path) -> None:
    """Make the pseudo-language's file from the English one."""
    texts = json.loads(source.read_text(encoding="utf-8"))
    made = {key: pseudo_text(text) for key, text in texts.items()}
    made |= {"meta.dir": "rtl", "meta.name": "Pseudo"}
    target.write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")
