"""A small app that a scripted model builds on the Python starter, in one phase."""

from __future__ import annotations

import json

from tests.support.model_server import ModelServer
from tests.support.tiny_app import phase, whole

HOME = """\
{% extends "base.html" %}
{% block content %}<section class="hero"><h1>Good morning</h1></section>{% endblock %}
"""
PACKAGE = "humanize==4.9.0"
PHASE = phase(
    "Greeting", ["app/templates/home.html"], last=True, packages=f"pip install {PACKAGE}\n"
)
BLUEPRINT: dict[str, object] = {
    "title": "Greeter",
    "project_name": "greeter",
    "description": "Greets.",
    "template": "python-fastapi",
    "color_palette": ["#112233"],
    "initial_phase": PHASE,
}


def script_python_app(server: ModelServer) -> None:
    """Queue every answer of an undisturbed build."""
    server.answer(json.dumps(BLUEPRINT), operation="blueprint")
    # What another language's manager would install is left out.
    answer = "npm install left-pad@1.3.0\n" + whole("app/templates/home.html", HOME)
    server.answer(answer, operation="implement_phase")
