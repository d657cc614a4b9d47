"""How long the window stands still while code streams into a visible TSX file.

A thread writes 2,000 chunks a second of 24 characters through the real editor panel for 20 s, as the engine
would. A heartbeat of 5 ms on the window's thread is measured meanwhile; its gaps are the stalls. The same
heartbeat over an idle window is reported beside it. Exits 1 if the 99th percentile is above 32 ms.

Run under a display: `python -m tests.benchmarks.ui_stalls [--seconds N]`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
from time import perf_counter, sleep

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication

from vibedesk.ui.editor.panel import EditorPanel
from vibedesk.ui.theme.theme import Theme

CHUNKS_PER_SECOND = 2_000
CHUNK_CHARACTERS = 24
BEAT_MS = 5
LIMIT_MS = 32.0
PATH = "src/components/Generated.tsx"

_COMPONENT = """
interface PlantCard{n}Props {{
  plant: Plant;
  onWatered: (plantId: string) => void;
}}

// Thirsty plants first, then by how soon they need water.
export function PlantCard{n}({{ plant, onWatered }}: PlantCard{n}Props) {{
  const due = useMemo(() => nextWatering(plant, new Date()), [plant]);
  const [open, setOpen] = useState<boolean>(false);

  return (
    <section className="plant-card" aria-labelledby={{`plant-${{plant.id}}`}}>
      <h2 id={{`plant-${{plant.id}}`}}>Don't forget {{plant.name}}</h2>
      {{open && <p className="notes">{{plant.notes ?? "No notes yet"}}</p>}}
      <button type="button" onClick={{() => onWatered(plant.id)}} disabled={{due > {n}}}>
        Water today
      </button>
    </section>
  );
}}
"""


class Heartbeat:
    """Ticks every 5 ms on the window's thread and keeps the gaps in milliseconds."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BEAT_MS)
        self._timer.timeout.connect(self._beat)
        self._last = 0.0
        self.gaps: list[float] = []

    def start(self) -> None:
        self.gaps = []
        self._last = perf_counter()
        self._timer.start()

    def stop(self) -> None:
        self._beat()
        self._timer.stop()

    def _beat(self) -> None:
        now = perf_counter()
        self.gaps.append((now - self._last) * 1000)
        self._last = now


class Writer(threading.Thread):
    """Writes like the engine's thread: chunks of 24 characters, due every half millisecond."""

    def __init__(self, panel: EditorPanel, seconds: float) -> None:
        super().__init__(daemon=True)
        self._panel = panel
        self._total = int(seconds * CHUNKS_PER_SECOND)
        text = "".join(_COMPONENT.format(n=n) for n in range(self._total * CHUNK_CHARACTERS // 600))
        size = CHUNK_CHARACTERS
        self._chunks = [text[i : i + size] for i in range(0, self._total * size, size)]
        self.text = "".join(self._chunks)

    def run(self) -> None:
        start, sent = perf_counter(), 0
        while sent < len(self._chunks):
            due = min(len(self._chunks), int((perf_counter() - start) * CHUNKS_PER_SECOND) + 1)
            while sent < due:
                self._panel.stream_chunk(PATH, self._chunks[sent])
                sent += 1
            sleep(0.0005)


def spread(gaps: list[float]) -> dict[str, float]:
    ordered = sorted(gaps)

    def share(part: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(part * len(ordered)))], 2)

    return {
        "beats": len(ordered),
        "median_ms": share(0.5),
        "p99_ms": share(0.99),
        "max_ms": round(ordered[-1], 2),
    }


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """Return the heartbeat's gaps while idle and while streaming, in one window."""
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    theme = Theme("dark")
    theme.apply(application)
    panel = EditorPanel(theme)
    panel.resize(900, 800)
    panel.show()
    panel.stream_start(PATH, "full")
    heartbeat = Heartbeat()

    def beat_for(duration: float) -> dict[str, float]:
        heartbeat.start()
        QTimer.singleShot(int(duration * 1000), application.quit)
        application.exec()
        heartbeat.stop()
        return spread(heartbeat.gaps)

    QTimer.singleShot(500, application.quit)
    application.exec()
    idle = beat_for(min(5.0, seconds))
    writer = Writer(panel, seconds)
    writer.start()
    streaming = beat_for(seconds)
    writer.join()
    panel.flush()
    shown = panel.text(PATH)
    if shown != writer.text:
        raise SystemExit("the editor does not show what was streamed")
    panel.close_all()
    panel.close()
    return {"idle": idle, "streaming": streaming}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    result = measure(options.seconds)
    print(json.dumps({"ui_stalls": result}, indent=2))
    passed = result["streaming"]["p99_ms"] <= LIMIT_MS
    print(
        f"UI stalls: 99th percentile {result['streaming']['p99_ms']} ms, at most {LIMIT_MS}: {'ok' if passed else 'too slow'}"
    )
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
