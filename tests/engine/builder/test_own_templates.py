"""Starters of the person's own: from a folder, from git, with a description or found out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pygit2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tiny_app import TINY_TEMPLATE
from vibedesk.base.errors import InvalidInputError, NotFoundError
from vibedesk.engine.builder.own_templates import Templates
from vibedesk.engine.builder.template_source import SourceAddress
from vibedesk.engine.builder.templates import DEFAULT_TEMPLATE, load_folder, template_names

ME = pygit2.Signature("A", "a@example.org")


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path / "home" / "templates")


def put(folder: Path, **files: object) -> Path:
    """Write files; `__` in a name stands for a slash, values that are no text become JSON."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def commit(folder: Path, *, branch: str = "main") -> pygit2.Repository:
    """Commit everything in the folder on a branch."""
    there = (folder / ".git").is_dir()
    repository = (
        pygit2.Repository(str(folder))
        if there
        else pygit2.init_repository(str(folder), initial_head=branch)
    )
    repository.index.add_all()
    tree = repository.index.write_tree()
    known = repository.references.get(f"refs/heads/{branch}")
    parents = [known.target] if known else []
    repository.create_commit(f"refs/heads/{branch}", ME, ME, "x", tree, parents)
    return repository


# -- a folder ------------------------------------------------------------------------------------------------
def test_a_folder_is_kept_and_listed(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "mine")
    added = templates.add(str(folder))
    shutil.rmtree(folder)
    assert (added.name, added.own) == ("tiny", True)
    assert [t.name for t in templates.all()] == [*template_names(), "tiny"]
    assert templates.load("tiny").dev_argv("h", 1) == ["node", "server.mjs", "h", "1"]
    assert "index.html" in templates.load("tiny").files()[0]
    assert templates.named("Tiny") == templates.load("tiny")
    templates.remove("tiny")
    assert [t.name for t in templates.all()] == template_names()


def test_what_is_no_part_of_a_template_is_left_behind(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "mine")
    put(folder, **{
        ".env": "KEY=1", ".env.example": "KEY=", ".git__config": "x", "node_modules__a__x.js": "x",
        ".venv__pyvenv.cfg": "x", "made__x": "x", ".gitignore": "made/\n", "sub__.env.local": "x",
    })  # fmt: skip
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "linked").symlink_to("/etc")
    kept = templates.add(str(folder)).folder
    found = {p.relative_to(kept).as_posix() for p in kept.rglob("*") if p.is_file()}
    own = {p.name for p in TINY_TEMPLATE.iterdir()}
    assert found == {*own, ".env.example", ".gitignore", ".vibedesk-source"}
    assert ".vibedesk-source" not in templates.load("tiny").files()[0]


def test_the_same_source_again_replaces_what_was_kept(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "mine")
    templates.add(str(folder))
    (folder / "index.html").write_text("new")
    (folder / "server.mjs").unlink()
    assert templates.add(str(folder)).name == "tiny"
    texts, _ = templates.load("tiny").files()
    assert texts["index.html"] == "new"
    assert "server.mjs" not in texts
    other = shutil.copytree(TINY_TEMPLATE, tmp_path / "other")
    assert templates.add(str(other)).name == "tiny-2"
    assert sorted(p.name for p in (tmp_path / "home" / "templates").iterdir()) == ["tiny", "tiny-2"]


def test_a_bundled_name_is_not_taken(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / DEFAULT_TEMPLATE)
    meta = json.loads((folder / "template.json").read_text())
    (folder / "template.json").write_text(json.dumps({**meta, "name": DEFAULT_TEMPLATE}))
    assert templates.add(str(folder)).name == f"{DEFAULT_TEMPLATE}-2"
    assert not templates.load(DEFAULT_TEMPLATE).own


def test_what_cannot_be_used_leaves_nothing(templates: Templates, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(InvalidInputError, match="how it is started"):
        templates.add(str(empty))
    with pytest.raises(NotFoundError):
        templates.add(str(tmp_path / "nowhere"))
    put(empty, **{"template.json": "{"})
    with pytest.raises(InvalidInputError, match=r"template\.json"):
        templates.add(str(empty))
    assert list((tmp_path / "home" / "templates").iterdir()) == []
    with pytest.raises(NotFoundError, match="of your own"):
        templates.remove(DEFAULT_TEMPLATE)


def test_a_template_is_not_larger_than_that(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "mine")
    with (folder / "huge").open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(InvalidInputError, match="too large"):
        templates.add(str(folder))


def test_a_model_names_no_folder(templates: Templates) -> None:
    assert templates.named(str(TINY_TEMPLATE)) is None
    assert templates.named("") is None
    assert templates.named("React Vite") == templates.load("react-vite")


# -- git -----------------------------------------------------------------------------------------------------
def test_a_repository_with_its_branches_and_tags(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "starter")
    repository = commit(folder)
    repository.create_tag("v1", repository.head.target, pygit2.enums.ObjectType.COMMIT, ME, "first")
    (folder / "index.html").write_text("second")
    commit(folder)
    repository.references.create("refs/heads/feature/x", repository.head.target)
    url = f"file://{folder}"
    assert templates.add(url).files()[0]["index.html"] == "second"
    assert templates.add(f"{url}@feature/x").name == "tiny-2"
    first = templates.add(f"{url}@v1").files()[0]["index.html"]
    assert first == (TINY_TEMPLATE / "index.html").read_text()
    with pytest.raises(NotFoundError, match="no branch or tag 'v2'"):
        templates.add(f"{url}@v2")
    with pytest.raises(NotFoundError, match="could not be fetched"):
        templates.add(f"file://{tmp_path}/nothing")


def test_a_repositorys_links_and_submodules_stay_out(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "starter")
    (folder / "link").symlink_to("/etc/hostname")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    repository = commit(folder)
    head = repository.head.peel(pygit2.Commit)
    builder = repository.TreeBuilder(head.tree)
    builder.insert("module", head.id, pygit2.enums.FileMode.COMMIT)
    repository.create_commit("refs/heads/main", ME, ME, "x", builder.write(), [head.id])
    kept = templates.add(f"file://{folder}").folder
    assert not (kept / "module").exists()
    assert not (kept / "link").is_symlink()
    assert (kept / "run.sh").stat().st_mode & 0o111
    assert not (kept / ".git").exists()


def test_a_tree_that_names_one_folder_a_million_times(templates: Templates, tmp_path: Path) -> None:
    folder = shutil.copytree(TINY_TEMPLATE, tmp_path / "starter")
    repository = commit(folder)
    inner = repository.head.peel(pygit2.Commit).tree.id
    for _ in range(6):
        builder = repository.TreeBuilder()
        for number in range(10):
            builder.insert(f"d{number}", inner, pygit2.enums.FileMode.TREE)
        inner = builder.write()
    repository.create_commit("refs/heads/main", ME, ME, "x", inner, [repository.head.target])
    with pytest.raises(InvalidInputError, match="too large"):
        templates.add(f"file://{folder}")
    assert list((tmp_path / "home" / "templates").iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "", "~0", "~nobody/x", "relative/folder", "./x", "http://example.org/a.git", "git://example.org/a", "https://",
        "https:///a.git", "ftp://example.org/a", "https://example.org/a.git?x=1", "-upload:x y",
        "https://example.org/a.git@../x", "ext::sh -c x",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidInputError):
        SourceAddress.parse(text)


@pytest.mark.parametrize("user", ["me", "me:secret", ":secret"])
def test_a_password_in_an_address_is_refused_and_not_repeated(user: str) -> None:
    with pytest.raises(InvalidInputError, match="user name or password") as refused:
        SourceAddress.parse(f"https://{user}@example.org/a.git@main")
    assert "secret" not in str(refused.value)


def test_addresses() -> None:
    def read(text: str) -> tuple[str, str, str]:
        address = SourceAddress.parse(text)
        return address.url, address.ref, address.name

    assert read("https://example.org/o/app.git@main") == (
        "https://example.org/o/app.git",
        "main",
        "app",
    )
    assert read("ssh://git@example.org/o/app@a/b") == ("ssh://git@example.org/o/app", "a/b", "app")
    assert read("git@example.org:o/app.git") == ("git@example.org:o/app.git", "", "app")
    assert read("git@example.org:o/app.git@v1.2") == ("git@example.org:o/app.git", "v1.2", "app")


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_in_a_sentence(text: str) -> None:
    try:
        address = SourceAddress.parse(text)
    except InvalidInputError:
        return
    else:
        assert (address.folder is None) != (address.url == "")


# -- without a description -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("scripts", "command"),
    [
        ({"dev": "vite"}, "npm run dev -- --host h --port 1"),
        ({"dev": "next dev"}, "npm run dev -- --hostname h --port 1"),
        ({"start": "node server.js"}, "env HOST=h PORT=1 npm run start"),
    ],
)
def test_a_node_project_describes_itself(
    tmp_path: Path, scripts: dict[str, str], command: str
) -> None:
    folder = put(tmp_path / "my-app", **{
        "package.json": {"scripts": {**scripts, "build": "x", "lint": "x"}, "dependencies": {"a": "1"}}
    })  # fmt: skip
    template = load_folder(folder, name="my-app")
    assert template.dev_argv("h", 1) == command.split()
    assert template.install_command == "npm install"
    assert (template.build_command, template.lint_command) == ("npm run build", "npm run lint")
    assert template.typecheck_command == ""
    put(folder, **{"package-lock.json": "{}"})
    assert load_folder(folder, name="my-app").install_command == "npm ci"


def test_a_pnpm_project_is_installed_by_pnpm(tmp_path: Path) -> None:
    folder = put(tmp_path / "p", **{
        "package.json": {"scripts": {"dev": "vite"}, "packageManager": "pnpm@9.1.0+sha512.x"},
        "pnpm-lock.yaml": "",
    })  # fmt: skip
    template = load_folder(folder, name="p")
    assert template.install_command == "npx --yes pnpm@9.1.0 install --frozen-lockfile"
    assert template.add_argv(["a@1"])[-2:] == ["--save-exact", "a@1"]
    assert template.packages.marker == "node_modules/.modules.yaml"


@pytest.mark.parametrize(
    ("file", "text", "command"),
    [
        ("app/main.py", "api = FastAPI(title='x')\n", "uv run uvicorn app.main:api --reload --host h --port 1"),
        ("main.py", "app: Flask = Flask(__name__)\n", "uv run flask --app main.py run --debug --host h --port 1"),
        ("manage.py", "", "uv run python manage.py runserver h:1"),
    ],
)  # fmt: skip
def test_a_python_project_describes_itself(
    tmp_path: Path, file: str, text: str, command: str
) -> None:
    folder = put(tmp_path / "p", **{
        "pyproject.toml": '[project]\nname="p"\ndependencies=["fastapi>=0.1", "x"]\n[tool.ruff]\n',
        file.replace("/", "__"): text,
    })  # fmt: skip
    template = load_folder(folder, name="p")
    assert template.dev_argv("h", 1) == command.split()
    assert (template.language, template.packages.manifest) == ("python", "pyproject.toml")
    assert template.frameworks == ("fastapi", "x")
    assert template.add_argv(["a==1"]) == ["uv", "add", "--bounds", "exact", "a==1"]


@pytest.mark.parametrize(
    "files",
    [
        {"package.json": "{"}, {"package.json": []}, {"package.json": {"scripts": {"build": "x"}}},
        {"package.json": {"scripts": 3}}, {"pyproject.toml": "="}, {"pyproject.toml": "[project]\n"},
        {"pyproject.toml": "project = 3\n"}, {"README": "x"},
    ],
)  # fmt: skip
def test_what_does_not_describe_itself_is_said(tmp_path: Path, files: dict[str, object]) -> None:
    folder = put(tmp_path / "p", **files)
    with pytest.raises(InvalidInputError, match="how it is started") as said:
        load_folder(folder, name="p")
    assert "template.json" in said.value.remedy
