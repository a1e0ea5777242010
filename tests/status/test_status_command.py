"""`portal status` says in a terminal what the status page says, and by its exit status whether all is well."""

import json

from portal.domain import heartbeats
from portal.domain.processes import Process
from portal.domain.status import facts, report, verdict
from tests.conftest import KEY
from tests.test_commands import run


def status(database_url, tmp_path, *arguments):
    return run(" ".join(("status", *arguments)), DATABASE_URL=database_url, SECRET_KEY=KEY, PORTAL_DATA=tmp_path)


def test_while_all_is_well_it_ends_with_status_0(database_url, tmp_path, healthy):
    answer = status(database_url, tmp_path)

    assert answer.exit_code == 0
    first, *parts = answer.output.splitlines()
    assert first == "Exports are up. Nothing was exported yet."
    assert len(parts) == len(verdict.of(facts.gather()).parts)
    assert parts[1] == "keeper             up        1 running."


def test_what_is_not_well_is_told_with_what_to_do_and_status_1(database_url, tmp_path, healthy):
    Process.delete().where(Process.kind == "keeper").execute()

    answer = status(database_url, tmp_path)

    assert answer.exit_code == 1
    assert answer.output.splitlines()[0] == "Exports are down: No keeper reports. Start it: `systemctl start portal-keeper`."


def test_a_script_gets_the_facts_of_the_page_in_one_line(database_url, tmp_path, healthy):
    heartbeats.mark_bad(heartbeats.REDIS, "Connection refused")

    answer = status(database_url, tmp_path, "--json")

    assert answer.exit_code == 1
    [line] = answer.output.splitlines()
    assert json.loads(line) == json.loads(json.dumps(report.of(verdict.of(facts.gather()))))
