"""What `normalize_project_path` lets through stays in the project on every system."""

from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vibedesk.base.project_paths import UnsafePathError, normalize_project_path

PARTS = st.sampled_from(
    [
        *(
            "a",
            "src",
            "..",
            ".",
            "",
            ".git",
            ".Git ",
            "git~1",
            ".g\u200dit",
            "~",
            "con",
            "C:",
            "x ",
            "y.",
            "\\",
        ),
        *(
            "[id]",
            "$x",
            "@y",
            "(z)",
            "a b",
            "été",
            "\x00",
            "\ud800",
            ".github",
            ".gitignore",
            "nul.ts",
            "😀",
        ),
    ]
)
PATHS = st.lists(PARTS, min_size=1, max_size=6).map("/".join) | st.text(max_size=30)


@settings(max_examples=1000, deadline=None)
@given(raw=PATHS)
def test_what_is_let_through_is_safe_and_stable(raw: str) -> None:
    try:
        path = normalize_project_path(raw)
    except UnsafePathError:
        return
    assert normalize_project_path(path) == path
    assert os.path.normpath(os.path.join("/project", path)) == f"/project/{path}"  # noqa: PTH118
    for part in path.split("/"):
        visible = "".join(c for c in part if unicodedata.category(c) != "Cf")
        assert unicodedata.normalize("NFKC", visible).lower().rstrip(". ") not in (".git", "git~1")
        assert not set(part) & set('\\<>:"|?*\x00')
        assert part.strip(". ")
    path.encode()


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("./src//a b/[id]/$x/@y/(z).tsx", "src/a b/[id]/$x/@y/(z).tsx"),
        ("././été/文件.ts", "été/文件.ts"),
        (".gitignore", ".gitignore"),
        (".github/workflows/ci.yml", ".github/workflows/ci.yml"),
        ("a/console.ts", "a/console.ts"),
        ("[[...slug]]/..x", "[[...slug]]/..x"),
    ],
)
def test_ordinary_names_are_kept(raw: str, path: str) -> None:
    assert normalize_project_path(raw) == path
