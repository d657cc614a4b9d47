import { Food } from './Food'
import { Snake } from './Snake'
import { Direction, GRID, type Status } from './types'

const KEYS: Record<string, Direction> = {
  ArrowUp: Direction.Up,
  ArrowRight: Direction.Right,
  ArrowDown: Direction.Down,
  ArrowLeft: Direction.Left,
}

export interface GameOptions {
  stepMs?: number
  onScore?: (score: number) => void
}

export class Game {
  status: Status = 'ready'
  score = 0

  private snake = new Snake()
  private food = new Food()
  private timer: ReturnType<typeof setInterval> | undefined

  constructor(
    private readonly context: CanvasRenderingContext2D,
    private readonly options: GameOptions = {},
  ) {}

  start(): void {
    this.status = 'running'
    this.timer = setInterval(() => this.tick(), this.options.stepMs ?? 120)
  }

  handleKey(event: KeyboardEvent): void {
    const direction = KEYS[event.key]
    if (direction === undefined) return
    event.preventDefault()
    if (this.status === 'ready') this.start()
    this.snake.turn(direction)
  }

  private tick(): void {
    this.snake.step()
    if (this.food.occupies(this.snake.head)) {
      this.snake.grow()
      this.food.step()
      this.score += 10
      this.options.onScore?.(this.score)
    }
    // Checked after growing, as the tail then stays where it was.
    if (this.snake.bitesItself()) {
      this.status = 'over'
      clearInterval(this.timer)
    }
    this.draw()
  }

  draw(): void {
    const size = this.context.canvas.width / GRID
    this.context.clearRect(0, 0, this.context.canvas.width, this.context.canvas.height)
    this.food.draw(this.context, size)
    this.snake.draw(this.context, size)
  }
}
