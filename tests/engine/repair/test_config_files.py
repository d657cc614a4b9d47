"""package.json and index.html, which no compiler reads."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vibedesk.engine.repair.config_files import mended_config

PAGE = '<div id="root"></div>\n<script type="module" src="/src/main.jsx"></script>\n'
VALUES = st.recursive(
    st.text() | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.text(), VALUES, min_size=1, max_size=4))
def test_trailing_commas_go_and_texts_stay(content: dict) -> None:
    good = json.dumps(content, indent=2)
    assert mended_config({"package.json": good}) == {}
    wrong = good[:-2] + ",\n}"
    assert json.loads(mended_config({"package.json": wrong})["package.json"]) == content


def test_what_is_no_json_otherwise_is_left() -> None:
    assert mended_config({"package.json": '{"a": 1 "b": 2,}'}) == {}


VITE = json.dumps({"devDependencies": {"vite": "8.0.0"}})
MAIN = "createRoot(document.getElementById('root')!).render(<App />)\n"


def test_the_page_starts_the_script_that_is_there() -> None:
    texts = {"package.json": VITE, "index.html": PAGE, "src/main.tsx": MAIN, "src/App.tsx": ""}
    assert mended_config(texts) == {"index.html": PAGE.replace("main.jsx", "main.tsx")}
    assert mended_config({**texts, "src/main.jsx": ""}) == {}
    assert mended_config({**texts, "src/old/main.ts": ""}) == {}
    assert mended_config({"package.json": VITE, "index.html": PAGE}) == {}
    other = {**texts, "index.html": PAGE.replace("main.jsx", "index.tsx")}
    assert mended_config(other) == {"index.html": PAGE.replace("main.jsx", "main.tsx")}


def test_a_page_without_a_script_gets_the_one_that_is_there() -> None:
    page = '<html>\n  <body>\n    <div id="root"></div>\n  </body>\n</html>\n'
    texts = {"package.json": VITE, "index.html": page, "src/main.tsx": MAIN}
    script = '    <script type="module" src="/src/main.tsx"></script>\n  </body>'
    assert mended_config(texts) == {"index.html": page.replace("  </body>", script)}
    assert mended_config({**texts, "src/main.ts": ""}) == {}
    assert (
        mended_config({**texts, "index.html": page.replace("<body>", "<script>1</script>")}) == {}
    )


def test_the_element_of_the_page_is_the_one_that_the_script_looks_for() -> None:
    right = PAGE.replace("main.jsx", "main.tsx")
    wrong = right.replace('id="root"', 'id="app"')
    texts = {"package.json": VITE, "index.html": wrong, "src/main.tsx": MAIN}
    assert mended_config(texts) == {"index.html": right}
    assert mended_config({**texts, "src/index.css": "#app { color: red }"}) == {}
    two = {**texts, "index.html": wrong + '<div id="popups"></div>\n'}
    assert mended_config(two) == {}


def test_a_comma_before_a_closing_bracket_is_no_sql() -> None:
    wrong = "CREATE TABLE a ( -- b,)\n  b TEXT DEFAULT ',)',\n  c TEXT, -- last\n);\n"
    assert mended_config({"m/1.sql": wrong}) == {"m/1.sql": wrong.replace("c TEXT,", "c TEXT")}
    assert mended_config({"m/1.sql": wrong.replace("c TEXT,", "c TEXT")}) == {}


TAILWIND = json.dumps({"dependencies": {"tailwindcss": "4.1.2", "@tailwindcss/vite": "4.1.2"}})
OLD_STYLE = "/* ours */\n@tailwind base;\n@tailwind components;\n@tailwind utilities;\n\n.a {\n  @apply p-4;\n}\n"


def test_directives_of_tailwind_3_become_the_import_of_4() -> None:
    texts = {"package.json": TAILWIND, "src/index.css": OLD_STYLE}
    assert mended_config(texts) == {
        "src/index.css": "/* ours */\n@import 'tailwindcss';\n\n.a {\n  @apply p-4;\n}\n"
    }
    imports_both = {**texts, "src/index.css": f'@import "tailwindcss";\n{OLD_STYLE}'}
    assert mended_config(imports_both)["src/index.css"].count("tailwindcss") == 1
    late = {**texts, "src/index.css": f".b {{}}\n{OLD_STYLE}"}
    assert mended_config(late)["src/index.css"].startswith(
        "@import 'tailwindcss';\n.b {}\n/* ours */\n"
    )


def test_what_is_right_for_the_version_stays() -> None:
    old = TAILWIND.replace('"tailwindcss": "4.1.2"', '"tailwindcss": "^3.4.0"')
    assert mended_config({"package.json": old, "src/index.css": OLD_STYLE}) == {}
    some = "@tailwind utilities;\n"
    assert mended_config({"package.json": TAILWIND, "src/index.css": some}) == {}
    assert mended_config({"src/index.css": OLD_STYLE}) == {}


def test_tailwind_is_no_postcss_plugin_any_more() -> None:
    config = (
        "export default {\n  plugins: {\n    tailwindcss: {},\n    autoprefixer: {},\n  },\n}\n"
    )
    texts = {"package.json": TAILWIND, "postcss.config.js": config}
    assert mended_config(texts) == {
        "postcss.config.js": config.replace("    tailwindcss: {},\n", "")
    }
    options = config.replace("tailwindcss: {}", "tailwindcss: { config: './t.js' }")
    assert mended_config({**texts, "postcss.config.js": options}) == {}
