"""The rows of the models page: what they show and what they ask for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from tests.ui.settings_gallery import KNOWN, OPTIONS, PROVIDERS, models_page, provider, routes
from vibedesk.engine.views import ConnectionView, RouteStepView, RouteView, SecretsView
from vibedesk.ui.settings.add_server import NewServer, server_problem
from vibedesk.ui.settings.model_picker import ModelOption, ModelPicker
from vibedesk.ui.settings.provider_row import ProviderEntry, ProviderRow
from vibedesk.ui.settings.route_rows import RouteRow, StepLine
from vibedesk.ui.settings.secrets_line import SecretsLine
from vibedesk.ui.settings.words import connection_words, facts_words
from vibedesk.ui.theme.theme import Theme

pytestmark = pytest.mark.ui
SetLocale = Callable[[str], None]
SONNET = RouteStepView(provider="anthropic", model="claude-sonnet-5-5")
QWEN = RouteStepView(provider="ollama", model="qwen3-coder:30b")


@pytest.fixture
def row(qtbot: QtBot, theme: Theme) -> RouteRow:
    made = RouteRow(theme, "fix", lambda: KNOWN)
    qtbot.addWidget(made)
    made.show_route(RouteView("fix", (SONNET, QWEN)))
    made.show()
    return made


def told(row: RouteRow) -> list[tuple[RouteStepView, ...]]:
    heard: list[tuple[RouteStepView, ...]] = []
    row.changed.connect(lambda _, steps: heard.append(steps))
    return heard


class TestRoute:
    def test_fallbacks_move_and_go(self, row: RouteRow) -> None:
        heard = told(row)
        row.lines[1]._up.click()
        row.lines[0]._remove.click()
        assert heard == [(QWEN, SONNET), (QWEN,)]
        assert not row.lines[0]._up.isEnabled()
        assert not row.lines[1]._down.isEnabled()

    def test_a_single_model_cannot_be_moved_or_removed(self, row: RouteRow) -> None:
        row.show_route(RouteView("fix", (SONNET,)))
        line = row.lines[0]
        assert not any(button.isVisible() for button in (line._up, line._down, line._remove))

    def test_effort_temperature_and_limit_are_told(self, row: RouteRow, qtbot: QtBot) -> None:
        heard = told(row)
        line = row.lines[0]
        line._effort.setCurrentIndex(3)
        line._effort.activated.emit(3)
        line._more.click()
        line._temperature.setText("0.3")
        qtbot.keyClick(line._temperature, Qt.Key.Key_Return)
        line._limit.setText("9000")
        qtbot.keyClick(line._limit, Qt.Key.Key_Return)
        expected = dataclasses.replace(
            SONNET, reasoning_effort="high", temperature=0.3, max_output_tokens=9000
        )
        assert heard[-1] == (expected, QWEN)
        row.show_route(RouteView("fix", (expected, QWEN)))
        assert "temperature 0.3" in row.lines[0]._facts.text
        assert "at most 9 k tokens out" in row.lines[0]._facts.text

    def test_a_temperature_that_is_not_sent_is_not_shown_as_in_force(
        self, qtbot: QtBot, theme: Theme
    ) -> None:
        facts = OPTIONS[1].facts
        assert facts is not None
        option = dataclasses.replace(
            OPTIONS[1], facts=dataclasses.replace(facts, temperature=False)
        )
        known = dataclasses.replace(KNOWN, options=(option,))
        step = dataclasses.replace(SONNET, temperature=0.3)
        line = StepLine(theme, step, lambda: known, "Fix")
        qtbot.addWidget(line)
        assert "temperature 0.3 is not sent: this model takes none" in line._facts.text

    @pytest.mark.parametrize("locale", ["C", "de_DE", "en_US"])
    @pytest.mark.parametrize("typed", ["0.7", "0,7"])
    def test_numbers_are_taken_wherever_the_person_lives(
        self, qtbot: QtBot, theme: Theme, locale: str, typed: str, default_locale: SetLocale
    ) -> None:
        default_locale(locale)
        line = StepLine(theme, SONNET, lambda: KNOWN, "Fix")
        qtbot.addWidget(line)
        line.show()
        heard: list[RouteStepView] = []
        line.changed.connect(heard.append)
        line._more.click()
        for field, text in ((line._temperature, typed), (line._limit, "32.000")):
            qtbot.keyClicks(field, text)
            qtbot.keyClick(field, Qt.Key.Key_Return)
        expected = dataclasses.replace(SONNET, temperature=0.7, max_output_tokens=32000)
        assert heard[-1] == expected
        line._limit.selectAll()
        qtbot.keyClicks(line._limit, "9,000")
        qtbot.keyClick(line._limit, Qt.Key.Key_Return)
        assert heard[-1].max_output_tokens == 9000

    def test_what_is_no_number_goes_and_nothing_is_the_usual(
        self, row: RouteRow, qtbot: QtBot
    ) -> None:
        row.show_route(RouteView("fix", (dataclasses.replace(SONNET, temperature=0.3), QWEN)))
        row.activateWindow()
        qtbot.waitUntil(row.isActiveWindow)
        line = row.lines[0]
        heard: list[RouteStepView] = []
        line.changed.connect(heard.append)
        line._more.click()
        line._temperature.selectAll()
        qtbot.keyClicks(line._temperature, ".")
        line._limit.setFocus()
        assert line._temperature.text() == "0.3"
        assert heard == []
        line._temperature.setFocus()
        line._temperature.selectAll()
        qtbot.keyClick(line._temperature, Qt.Key.Key_Delete)
        line._limit.setFocus()
        assert [step.temperature for step in heard] == [None]

    def test_what_keeps_a_model_from_answering_is_said_beside_it(self, row: RouteRow) -> None:
        broken = dataclasses.replace(SONNET, problem="There is no key.", remedy="Enter one.")
        row.show_route(RouteView("fix", (broken, QWEN)))
        assert row.lines[0]._facts.text == "There is no key. Enter one."
        assert "free" in row.lines[1]._facts.text

    def test_an_operation_without_models_says_so_and_takes_one(self, row: RouteRow) -> None:
        row.show_route(RouteView("fix", (), problem="No model is set up."))
        assert row._problem.text == "No model is set up."
        heard = told(row)
        assert row._add is not None
        row._add.click()
        picker = row.findChildren(ModelPicker)[-1]
        picker._view.clicked.emit(picker._view.model().index(0, 0))
        assert heard == [(RouteStepView(provider="anthropic", model="claude-opus-5-5"),)]


class TestPicker:
    @pytest.fixture
    def parent(self, qtbot: QtBot) -> QWidget:
        made = QWidget()
        qtbot.addWidget(made)
        return made

    @pytest.fixture
    def picker(self, parent: QWidget, theme: Theme) -> ModelPicker:
        made = ModelPicker(theme, parent, OPTIONS, "openai", "gpt-6.1-sol")
        made.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
        return made

    def chosen(self, picker: ModelPicker) -> list[ModelOption]:
        heard: list[ModelOption] = []
        picker.chosen.connect(heard.append)
        return heard

    def test_opens_at_the_present_model_and_enter_takes_it(
        self, picker: ModelPicker, qtbot: QtBot
    ) -> None:
        heard = self.chosen(picker)
        qtbot.keyClick(picker._filter, Qt.Key.Key_Down)
        qtbot.keyClick(picker._filter, Qt.Key.Key_Up)
        qtbot.keyClick(picker._filter, Qt.Key.Key_Return)
        assert [(o.provider, o.model) for o in heard] == [("openai", "gpt-6.1-sol")]

    def test_filter_finds_by_any_word_of_model_and_provider(
        self, picker: ModelPicker, qtbot: QtBot
    ) -> None:
        heard = self.chosen(picker)
        picker._filter.setText("anthropic haiku")
        qtbot.keyClick(picker._filter, Qt.Key.Key_Return)
        assert heard[0].model == "claude-haiku-5-5"

    def test_a_click_takes_a_model_once_also_where_the_desktop_activates_by_one(
        self, picker: ModelPicker, parent: QWidget, qtbot: QtBot
    ) -> None:
        """KDE's style does."""
        heard = self.chosen(picker)
        view = picker._view
        view.setStyleSheet("QListView { activate-on-singleclick: 1; }")
        picker.open_below(parent)
        place = view.visualRect(picker._options.index(0)).center()
        qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert [option.model for option in heard] == ["claude-opus-5-5"]
        assert not picker.isVisible()

    def test_a_name_that_nobody_listed_can_be_typed(
        self, picker: ModelPicker, qtbot: QtBot
    ) -> None:
        picker._filter.setText("brand-new-model")
        names = [picker._options.data(picker._options.index(n), Qt.ItemDataRole.DisplayRole) for n in range(picker._options.rowCount())]  # fmt: skip
        assert "brand-new-model, Google Gemini" in names
        assert not any("OpenRouter" in str(name) for name in names), "it is not connected"


class TestProvider:
    def row(self, qtbot: QtBot, theme: Theme, name: str) -> ProviderRow:
        made = ProviderRow(theme, next(p for p in PROVIDERS if p.name == name))
        qtbot.addWidget(made)
        made.show()
        return made

    def test_the_environment_overrides_and_it_is_said(self, qtbot: QtBot, theme: Theme) -> None:
        row = self.row(qtbot, theme, "google")
        assert row.state == "Key from the environment"
        row._more.click()
        assert "GEMINI_API_KEY is set in the environment and is used instead" in row._note.text

    def test_each_place_of_a_key_has_its_words(self, qtbot: QtBot, theme: Theme) -> None:
        states = {n: self.row(qtbot, theme, n).state for n in ("anthropic", "office", "openrouter", "lmstudio", "ollama")}  # fmt: skip
        assert states == {
            "anthropic": "Key in the keychain",
            "office": "Key in encrypted file",
            "openrouter": "Not connected",
            "lmstudio": "Not running",
            "ollama": "Running here",
        }

    def test_a_typed_key_is_saved_masked_and_never_in_a_repr(
        self, qtbot: QtBot, theme: Theme
    ) -> None:
        row = self.row(qtbot, theme, "openrouter")
        assert not row._act.isEnabled()
        heard: list[ProviderEntry] = []
        row.save_requested.connect(lambda _, entry: heard.append(entry))
        qtbot.keyClicks(row._key, "sk-or-secret")
        assert row._key.echoMode() == QLineEdit.EchoMode.Password
        assert row._act.text() == "Save and test"
        row._act.click()
        assert heard == [ProviderEntry(key="sk-or-secret")]
        assert "secret" not in repr(heard)

    def test_a_changed_address_is_an_entry_and_an_unchanged_one_is_not(
        self, qtbot: QtBot, theme: Theme
    ) -> None:
        row = self.row(qtbot, theme, "ollama")
        assert row.entry == ProviderEntry()
        row._address.setText("http://127.0.0.1:9999/v1/")
        assert row.entry == ProviderEntry(base_url="http://127.0.0.1:9999/v1")

    def test_a_test_runs_is_cancelled_and_says_exactly_what_is_wrong(
        self, qtbot: QtBot, theme: Theme
    ) -> None:
        row = self.row(qtbot, theme, "anthropic")
        cancelled: list[str] = []
        row.cancel_requested.connect(cancelled.append)
        row.set_testing(testing=True)
        assert row.state == "Testing"
        row._act.click()
        assert cancelled == ["anthropic"]
        row.show_result(ConnectionView(False, "quota", "The credit is used up.", "Add some.", 0.2))
        assert row.state == "No credit left"
        assert row.message == "The credit is used up. Add some."
        row.show_result(ConnectionView(True, "ok", "m answers.", "", 0.412, ("m", "n")))
        assert row.state == "Works, 412 ms, 2 models"

    def test_what_is_typed_survives_a_refresh(self, qtbot: QtBot, theme: Theme) -> None:
        row = self.row(qtbot, theme, "openrouter")
        qtbot.keyClicks(row._key, "half")
        row.show_provider(provider("openrouter", "OpenRouter", ready=False), first=False)
        assert row.entry.key == "half"


def test_a_locked_store_asks_for_the_passphrase_aloud(qtbot: QtBot, theme: Theme) -> None:
    line = SecretsLine(theme)
    qtbot.addWidget(line)
    heard: list[str] = []
    line.unlock_requested.connect(heard.append)
    line.show_state(SecretsView("file", True, "The secrets file is locked: enter its passphrase."))
    assert line.locked
    qtbot.keyClicks(line._field, "correct horse")
    qtbot.keyClick(line._field, Qt.Key.Key_Return)
    qtbot.keyClick(line._field, Qt.Key.Key_Return)
    assert heard == ["correct horse"], "once, while it is being tried"
    line.show_trouble("It does not open the file.", "Try again.")
    assert line.text == "It does not open the file. Try again."
    line.show_state(SecretsView("file", False, "Kept in secrets.json, encrypted."))
    assert line._field.text() == ""
    assert line.text == "Kept in secrets.json, encrypted."


@pytest.mark.parametrize(
    ("server", "problem"),
    [
        (NewServer(name="mine", base_url="https://a.example/v1", model="", key="k"), ""),
        (NewServer(name="mine", base_url="http://localhost:1/v1", model="", key="k"), ""),
        (NewServer(name="mine", base_url="http://a.example/v1", model="", key="k"), "https"),
        (NewServer(name="mine", base_url="a.example", model=""), "begins with"),
        (NewServer(name="openai", base_url="https://a.example", model=""), "of that name"),
        (NewServer(name="My Server", base_url="https://a.example", model=""), "small letters"),
    ],
)
def test_a_server_of_ones_own_is_checked_before_it_is_added(
    qapp: QApplication, server: NewServer, problem: str
) -> None:
    said = server_problem(server, ["openai"])
    assert problem in said
    assert bool(problem) == bool(said)


def test_facts_say_what_is_known_and_what_is_assumed(qapp: QApplication) -> None:
    known = OPTIONS[1].facts
    assert known is not None
    assert facts_words(known) == (
        "1 M context · sees images · caches prompts · $3 in, $15 out per M tokens, 27 Nov 2026"
    )
    own = dataclasses.replace(known, price_date="", price_from="person")
    assert facts_words(own).endswith("per M tokens, as your models.json says")
    told = dataclasses.replace(known, price_date="", price_from="server")
    assert facts_words(told).endswith("per M tokens, as its server says")
    unknown = dataclasses.replace(known, known=False, input_price=None)
    assert "Nothing is known of it" in facts_words(unknown)
    assert "not counted" in facts_words(unknown)
    assert facts_words(unknown, free=True).endswith("free")


def test_every_code_of_a_test_has_words(qapp: QApplication) -> None:
    codes = ConnectionView.__doc__ or ""
    listed = codes.split("`code`: ok, ")[1].split(".")[0].replace(" or ", ", ").replace("\n", " ")
    for code in filter(None, (word.strip() for word in listed.split(","))):
        words = connection_words(ConnectionView(False, code, "m", "r", 0.1))
        assert words != "Did not work", code


def test_everything_that_takes_the_keyboard_has_a_name(qtbot: QtBot, theme: Theme) -> None:
    page = models_page(theme, busy=True)
    qtbot.addWidget(page)
    page.resize(1000, 800)
    page.show()
    nameless = [
        w
        for w in page.findChildren(QWidget)
        if w.isVisible() and w.focusPolicy() & Qt.FocusPolicy.TabFocus and not w.accessibleName()
    ]
    assert nameless == []


def test_presets_mark_the_present_one_and_custom_can_be_reset(qtbot: QtBot, theme: Theme) -> None:
    page = models_page(theme)
    qtbot.addWidget(page)
    page.show()
    assert page._presets is not None
    assert page._presets.current == "balanced"
    assert not page._reset.isVisible()
    page.show_routes(routes("custom"), KNOWN)
    assert page._presets.current == "custom"
    assert page._reset.isVisible()
