"""docs/api.md is true: its examples are run as they stand there, and every problem it or the code names is in the other."""

import json
import os
import re
import subprocess
from pathlib import Path

import config
from portal.api import openapi
from portal.domain.accounts import api_tokens

ROOT = Path(config.__file__).parent
DOC = (ROOT / "docs/api.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```bash\n(.*?)```\n\n```json\n(.*?)```", DOC, re.DOTALL)


def test_the_examples_answer_what_they_say(served, commitment, dee, ada):
    environment = {
        "PATH": os.environ["PATH"],
        "PORTAL": served,
        "TOKEN": api_tokens.make("Docs", dee.id, {"read", "write", "send"}, 1, ada)[1],
    }

    for command, said in EXAMPLES:
        ran = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=30)
        assert ran.returncode == 0, ran.stderr + ran.stdout
        answer = json.loads(ran.stdout)
        expected = json.loads(said)
        assert {name: answer[name] for name in expected} == expected
        environment.setdefault("ID", str(answer.get("id")))

    assert len(EXAMPLES) == DOC.count("```bash") == 5


def test_every_kind_of_problem_is_told_and_no_other():
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "portal/api").glob("*.py"))
    raised = re.findall(r'Refused\(\s*\d+, "([\w-]+)"', code) + re.findall(r'problems\.answer\(.*?"([\w-]+)"(?:, \w+=.*)?\)', code)
    rows = re.findall(r"^\| [45]\d\d[^|]*\|([^|]*)\|", DOC, re.MULTILINE)

    assert set(raised) == set(re.findall(r"`([a-z-]+)`", " ".join(rows)))


def test_every_refusal_of_the_description_is_told():
    told = {int(status) for row in re.findall(r"^\| ([45][\d, ]+)\|", DOC, re.MULTILINE) for status in row.split(",")}

    assert told == set(openapi.REFUSALS)
