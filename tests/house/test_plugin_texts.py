"""The script that finds words of a plugin that our tables do not know."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "docs" / "plugin_texts.py"
OLD = '''package x
func a() { ui.Say("Creating server...")
	ui.Say("Frobbing the disk of " + name)
}
'''
NEW = OLD + '''func b() {
	ui.Sayf("Waiting %ds for the %s to settle", n, name)
	ui.Say(fmt.Sprintf("Shutting down server %q", name))
	ui.Message("not a phase")
}
'''


def run(*words: object) -> list[str]:
    """The lines it prints."""
    done = subprocess.run([sys.executable, SCRIPT, *map(str, words)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_unknown_texts_are_listed_with_their_place(tmp_path: Path) -> None:
    """Each text that begins no phase, by file and line; with an older version only what is new."""
    for name, code in (("old", OLD), ("new", NEW)):
        (tmp_path / name / "builder").mkdir(parents=True)
        (tmp_path / name / "builder" / "step.go").write_text(code)
        (tmp_path / name / "builder" / "step_test.go").write_text('ui.Say("in a test")')

    assert run(tmp_path / "new") == [
        "builder/step.go:3: Frobbing the disk of ", "builder/step.go:6: Waiting %ds for the %s to settle",
    ]  # fmt: skip
    assert run(tmp_path / "new", tmp_path / "old") == ["builder/step.go:6: Waiting %ds for the %s to settle"]


def test_wrong_use_prints_how(tmp_path: Path) -> None:
    """Without a folder it says what it wants, exit status 1."""
    done = subprocess.run([sys.executable, SCRIPT, tmp_path / "none"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "PLUGIN_SOURCE" in done.stderr
