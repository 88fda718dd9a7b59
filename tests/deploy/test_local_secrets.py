"""The secrets of a data folder while several processes make and change them at once: nothing that one wrote is lost by another."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from deploy.local.clients import TABLE, add_client, clients_of, end_client, renew_client, write_clients
from deploy.local.secrets import load_secrets
from tests.support.documents import ROOT

AT_ONCE = """
import json, multiprocessing, sys
from pathlib import Path
from deploy.local.clients import add_client
from deploy.local.secrets import change, load_secrets

home, workers, rounds = Path(sys.argv[1]), 6, 6
fork = multiprocessing.get_context("fork")
together, told = fork.Barrier(workers), fork.SimpleQueue()

def work(n):
    together.wait(30)
    made = {"postgres": load_secrets(home).postgres, "clients": {}, "kafka": {}}
    for k in range(rounds):
        name = f"agence-{n}-{k}"
        made["clients"][name] = add_client(home, name, name, ("agency",))
        made["kafka"][name] = change(home, "kafka", name)
    told.put(made)

processes = [fork.Process(target=work, args=(n,)) for n in range(workers)]
for process in processes:
    process.start()
for process in processes:
    process.join()
if any(process.exitcode for process in processes):
    sys.exit("one of them failed")
json.dump([told.get() for _ in processes], sys.stdout)
"""


def test_what_six_processes_make_at_once_is_all_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_ONCE, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    told: list[dict[str, Any]] = json.loads(done.stdout)
    kept = load_secrets(tmp_path)
    assert {one["postgres"] for one in told} == {kept.postgres}, "two databases' passwords were made"
    clients = {name: word for one in told for name, word in one["clients"].items()}
    assert len(clients) == 36
    assert {name: client.client_secret for name, client in clients_of(tmp_path).items() if name not in TABLE} == clients
    assert {name: kept.kafka[name] for one in told for name in one["kafka"]} == {
        name: word for one in told for name, word in one["kafka"].items()
    }
    read = json.loads((tmp_path / "clients.json").read_text("utf-8"))
    assert set(read) == {*TABLE, *clients}, "the issuer reads all of them"


def test_secrets_that_are_all_there_are_read_without_a_lock_and_without_writing(tmp_path: Path) -> None:
    made = load_secrets(tmp_path)
    before = (tmp_path / "secrets.json").stat().st_ino
    (tmp_path / "secrets.lock").unlink()
    assert load_secrets(tmp_path) == made
    assert (tmp_path / "secrets.json").stat().st_ino == before
    assert not (tmp_path / "secrets.lock").exists()


@pytest.mark.parametrize("name", ["akto", "lycee"])
def test_a_client_that_was_ended_has_no_secret_until_it_is_added_again(tmp_path: Path, name: str) -> None:
    before = add_client(tmp_path, name, name, ("opco",))
    end_client(tmp_path, name)
    end_client(tmp_path, name)
    assert name not in clients_of(tmp_path)
    assert name not in json.loads(write_clients(tmp_path).read_text("utf-8")), "a start brings it back"
    assert renew_client(tmp_path, name) is None
    after = add_client(tmp_path, name, name, ("opco",))
    assert after not in ("", before)
    assert add_client(tmp_path, name, name, ("opco",)) == after


def test_a_client_that_was_never_here_gets_no_secret_by_being_ended(tmp_path: Path) -> None:
    end_client(tmp_path, "elsewhere")
    assert "elsewhere" not in load_secrets(tmp_path).clients


def test_the_lock_of_a_process_that_was_killed_is_free(tmp_path: Path) -> None:
    script = "import os, sys; from pathlib import Path; from deploy.local.files import locked\n"
    script += "with locked(Path(sys.argv[1]), 'secrets.lock'): os.kill(os.getpid(), 9)"
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, env=os.environ, timeout=60, check=False)
    assert done.returncode == -9
    assert load_secrets(tmp_path).postgres
