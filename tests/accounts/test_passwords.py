"""What a password must be, and how its hash is kept."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher, extract_parameters

from portal import hashing
from portal.domain import people
from portal.domain.accounts import password_links, passwords, sessions
from portal.hashing import Crowded, Hasher
from tests.conftest import PASSWORD


@pytest.mark.parametrize(
    "password",
    [
        "sunshine1234",
        "123princess!!",
        "monkeydragon99",
        "p@ssw0rd1234",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc",
        "leavemealone",
        "SuperMan_Batman",
        "b@seball.2026",
    ],
)
def test_what_is_tried_first_is_refused(company, password):
    told = passwords.problem(password, "ana@example.test", "Ana Ortiz")

    assert "tried first" in told or "easy to guess" in told


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "four words nobody knows",
        "ünïcödé wörds hëre",
        "   zqx  jkv  bpy   ",
        "k" * 58 + "qpzmvb",
        "7&Gq!vZ0#rTx",
    ],
)
def test_what_nobody_tries_first_is_taken(company, password):
    assert passwords.problem(password, "ana@example.test", "Ana Ortiz") == ""


def test_the_list_has_at_least_3000_passwords():
    assert len(passwords.common()) >= 3000
    assert {"123456", "password", "dragon"} <= passwords.common()


@pytest.mark.parametrize(("length", "fits"), [(11, False), (12, True), (64, True), (128, True), (129, False)])
def test_between_12_and_128_characters_are_taken(company, length, fits):
    password = ("zqxjkvbpygfw" * 11)[:length]

    assert (passwords.problem(password, "ana@example.test", "Ana Ortiz") == "") is fits


def test_more_than_128_bytes_are_refused_without_being_hashed(ana, monkeypatch):
    monkeypatch.setattr(people, "hasher", None)

    for password in ("x" * 129, "é" * 65, "x" * 1_000_000, "\ud800" * 50):
        assert sessions.prove(ana.email, password) is None


def test_blanks_at_the_ends_count(ana, database):
    ana.password = people.hasher.hash("  four words nobody knows  ")
    ana.save()

    assert sessions.prove(ana.email, "four words nobody knows") is None
    assert sessions.prove(ana.email, "  four words nobody knows  ") == ana


def test_the_hash_is_argon2id_with_64_mib_and_3_passes():
    parameters = extract_parameters(Hasher().hash("x"))

    assert (parameters.type.name, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == ("ID", 65536, 3, 1)


def test_a_weaker_hash_is_made_anew_at_the_next_sign_in(ana, monkeypatch):
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(people, "hasher", stronger)
    assert stronger.check_needs_rehash(people.by_id(ana.id).password)

    assert sessions.prove(ana.email, "wrong") is None
    assert stronger.check_needs_rehash(people.by_id(ana.id).password)
    assert sessions.prove(ana.email, PASSWORD) == ana

    assert not stronger.check_needs_rehash(people.by_id(ana.id).password)
    assert sessions.prove(ana.email, PASSWORD) == ana


def test_a_hash_made_anew_does_not_bring_back_a_password_that_was_replaced_meanwhile(ana, monkeypatch):
    class Slow:
        def verify(self, *given):
            return hasher.verify(*given)

        def check_needs_rehash(self, _):
            monkeypatch.setattr(people, "hasher", hasher)
            password_links.use(password_links.make(ana), "chosen by a link meanwhile")
            return True

    hasher = people.hasher
    monkeypatch.setattr(people, "hasher", Slow())

    sessions.prove(ana.email, PASSWORD)

    assert people.by_id(ana.id).verify("chosen by a link meanwhile")


def test_however_many_sign_in_at_once_only_two_hashes_are_computed_at_a_time(monkeypatch):
    lock, now, most = threading.Lock(), [0], [0]
    both = threading.Barrier(2)

    def compute(self, hash, password):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        both.wait(timeout=30)  # two of them do meet here
        with lock:
            now[0] -= 1
        return True

    monkeypatch.setattr(PasswordHasher, "verify", compute)
    hasher = Hasher(patience=60)

    with ThreadPoolExecutor(20) as crowd:
        assert all(crowd.map(lambda _: hasher.verify("", ""), range(20)))

    assert most == [hashing.AT_ONCE]


def test_who_waits_too_long_for_a_turn_is_told_to_come_back(monkeypatch):
    hasher = Hasher(at_once=1, patience=0)
    monkeypatch.setattr(PasswordHasher, "verify", lambda self, hash, password: hasher.hash("another one"))

    with pytest.raises(Crowded):
        hasher.verify("", "")
