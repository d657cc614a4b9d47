import { Entity } from './Entity'
import { Direction, GRID, type Point } from './types'

const STEPS: Record<Direction, Point> = {
  [Direction.Up]: { x: 0, y: -1 },
  [Direction.Right]: { x: 1, y: 0 },
  [Direction.Down]: { x: 0, y: 1 },
  [Direction.Left]: { x: -1, y: 0 },
}

export class Snake extends Entity {
  private direction = Direction.Right
  private growing = 0

  constructor() {
    super()
    this.cells = [{ x: 4, y: 10 }]
  }

  get color(): string {
    return '#16a34a'
  }

  get head(): Point {
    return this.cells[0]
  }

  turn(direction: Direction): void {
    // Nobody can turn on the spot.
    const opposite = (direction + 2) % 4 === this.direction
    if (!opposite) this.direction = direction
  }

  grow(by = 1): void {
    this.growing += by
  }

  step(): void {
    const { x, y } = STEPS[this.direction]
    const next = { x: (this.head.x + x + GRID) % GRID, y: (this.head.y + y + GRID) % GRID }
    this.cells.unshift(next)
    if (this.growing > 0) this.growing--
    else this.cells.pop()
  }

  bitesItself(): boolean {
    return this.cells.slice(1).some((cell) => cell.x === this.head.x && cell.y === this.head.y)
  }
}
