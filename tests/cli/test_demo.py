"""`stafeta demo`: what it refuses, and what its visitor without a browser sees."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stafeta.cli.demo import duration
from stafeta.cli.demo.browser import Form, Page, PageMissing, read_page
from stafeta.cli.demo.cast import EMA
from stafeta.cli.demo.post import Missing, Post
from stafeta.cli.receivers import Inbox
from tests.cli.conftest import Stafeta
from tests.cli.test_run import END_S_MAX, children, group_is_gone

Start = Callable[..., subprocess.Popen[str]]

PAGE = """<!doctype html><title>not seen</title><p>Write it <b>down</b>.</p><a href="/terms/">terms</a>
<form id="one" method="post"><input type="hidden" name="csrfmiddlewaretoken" value="c">
<input name="name" value="Ema"><input type="checkbox" name="who" value="1">
<input type="checkbox" name="who" value="2" checked>
<select name="language"><option value="cs">cs</option><option value="en" selected>en</option></select>
<textarea name="content">a &lt;b&gt;
c</textarea><button name="send" value="yes">Send</button></form>
<form action="/other/"><input type="radio" name="answer" value="no" checked></form>
<button form="one" formaction="/elsewhere/" name="go" value="there">Go</button>"""


@pytest.mark.parametrize(("text", "seconds"), [("5s", 5), ("1500ms", 1.5), ("1m", 60), ("2", 2), ("2.5s", 2.5)])
def test_a_day_may_take_as_long_as_one_likes(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "fast", "0s", "500ms", "2h", "-3s", "61m"])
def test_a_day_that_is_too_short_or_no_duration_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="5s"):
        duration(text)


def test_the_visitor_sees_words_links_and_forms() -> None:
    page = read_page("http://localhost/here/", 200, PAGE)
    form = page.form("name", "content")
    assert "Write it down ." in page.text
    assert "not seen" not in page.text
    assert page.link("/terms/") == "http://localhost/terms/"
    assert (form.action, form.method) == ("http://localhost/here/", "post")
    assert form.fields == {
        "csrfmiddlewaretoken": ["c"],
        "name": ["Ema"],
        "who": ["2"],
        "language": ["en"],
        "content": ["a <b>\nc"],
    }
    assert form.offers["who"] == ["1", "2"]
    assert ("go", "there", "http://localhost/elsewhere/") in form.buttons
    assert page.form(answer="no").action == "http://localhost/other/"


def test_what_a_page_lacks_is_named() -> None:
    page = Page("http://localhost/here/", 404, "", "", (Form("http://localhost/x/", "post"),), ())
    with pytest.raises(PageMissing, match=r"/here/ \(HTTP 404\) has no form with code"):
        page.form("code")


def test_a_message_that_does_not_come_is_named() -> None:
    with pytest.raises(Missing, match=r"The code \(SMS to Ema Malá\): nothing within"):
        post().text_to(EMA, since=post().mark(), what="The code", within_s=0.1)


def test_a_wait_ends_when_whoever_was_to_send_has_ended() -> None:
    with pytest.raises(Missing, match=r"The code .*: worker-1 has ended"):
        post("worker-1").text_to(EMA, since=post().mark(), what="The code", within_s=60)


def test_several_workers_need_postgresql(stafeta: Stafeta) -> None:
    done = stafeta("demo", "--headless", "--workers", "2")
    assert done.returncode == 2
    assert "PostgreSQL" in done.stderr


def test_it_never_runs_on_somebody_s_data(stafeta: Stafeta, tmp_path: Path) -> None:
    """A database with accounts is left alone, before anything in it is changed."""
    directory = tmp_path / "data"
    assert stafeta("init").returncode == 0
    made = stafeta(
        "createowner",
        *("--email", "petra@example.org", "--name", "Petra", "--phone", "601000009", "--password-stdin"),
        stdin="kolik-reci-umis-42\n",
    )
    assert made.returncode == 0, made.stderr
    done = stafeta("demo", "--headless", "--data-dir", str(directory))
    assert done.returncode == 2
    assert "accounts already" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_visited_demo_ends_cleanly_and_leaves_nothing(
    number: signal.Signals, started: Start, environ: dict[str, str], port: int, tmp_path: Path
) -> None:
    """It prints where it is and how to sign in; at the end its processes and its directory are gone."""
    environ["TMPDIR"] = str(tmp_path)
    process = started("demo", "--port", str(port), "--day", "10s")
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]
    assert f"http://localhost:{port}/demo/" in lines[0]
    assert "dana@example.org" in lines[1]
    assert set(children(process)) == {"web", "worker"}
    assert list(tmp_path.glob("stafeta-demo-*"))
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as Ctrl-C in a terminal does
    else:
        process.send_signal(number)
    rest, _ = process.communicate(timeout=END_S_MAX)
    assert (process.returncode, rest) == (0, "")
    assert group_is_gone(process)
    assert not list(tmp_path.glob("stafeta-demo-*"))


def test_a_worker_that_dies_fails_the_demo_with_its_name(started: Start) -> None:
    process = started("demo", "--headless")
    assert process.stdout is not None
    said = ""
    while "Dana makes an account" not in said:
        said += process.stdout.readline()
    os.kill(children(process)["worker"], signal.SIGKILL)
    rest, _ = process.communicate(timeout=END_S_MAX)
    assert process.returncode == 1
    assert "worker-1 has ended" in rest
    assert "demo: failed" in rest
    assert "demo: ok" not in rest


def post(*dead: str) -> Post:
    """A post to which nothing ever comes."""
    return Post(Inbox(), Inbox(), dead=lambda: list(dead))
