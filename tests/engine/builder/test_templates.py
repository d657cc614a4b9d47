"""Starters: the bundled ones, and a folder of the person's own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.tiny_app import TINY_TEMPLATE
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.engine.builder.context import ProjectContext, plan_request
from vibedesk.engine.builder.templates import load_template, template_names


@pytest.mark.parametrize("name", template_names())
def test_bundled_templates_load(name: str) -> None:
    template = load_template(name)
    texts, _ = template.files()
    assert set(template.important_files) <= set(texts)
    assert "template.json" not in texts
    assert "127.0.0.1" in " ".join(template.dev_argv("127.0.0.1", 4000))
    assert "4000" in " ".join(template.dev_argv("127.0.0.1", 4000))


def test_an_absolute_path_is_a_template_of_ones_own() -> None:
    template = load_template(str(TINY_TEMPLATE))
    assert template.add_argv(["a@1", "b"]) == ["node", "install.mjs", "a@1", "b"]
    context = ProjectContext(template=template, wish="x", blueprint=None)
    assert str(TINY_TEMPLATE) not in plan_request(context, 1, final=False).messages[0].text


@pytest.mark.parametrize(
    ("language", "add_command", "asks"),
    [
        ("typescript", "npm install --save-exact {packages}", True),
        ("typescript", "npx --yes pnpm@10.4.1 add --save-exact {packages}", True),
        ("typescript", "pnpm add {packages}", True),
        ("typescript", "yarn add {packages}", True),
        ("typescript", "node install.mjs {packages}", False),
        ("typescript", "uv add {packages}", False),
        ("python", "uv add {packages}", True),
        ("python", "python -m pip install {packages}", True),
        ("python", "conda install {packages}", False),
    ],
)
def test_whether_packages_are_added_from_a_registry(
    tmp_path: Path, language: str, add_command: str, asks: bool
) -> None:
    described = json.loads((TINY_TEMPLATE / "template.json").read_text("utf-8"))
    described |= {"language": language, "add_command": add_command}
    (tmp_path / "template.json").write_text(json.dumps(described), "utf-8")
    assert load_template(str(tmp_path)).adds_from_registry is asks


@pytest.mark.parametrize("name", ["", "nobody", "../templates/react-vite", "a/b", "/nowhere"])
def test_no_such_template(name: str) -> None:
    with pytest.raises(NotFoundError, match="no template"):
        load_template(name)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"description": "x"})])
def test_a_description_that_cannot_be_used(content: str, tmp_path: Path) -> None:
    (tmp_path / "template.json").write_text(content)
    with pytest.raises(InvalidInputError, match=r"template\.json"):
        load_template(str(tmp_path))
