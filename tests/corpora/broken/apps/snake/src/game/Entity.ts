import type { Point } from './types'

/** Whatever lies on the board. */
export abstract class Entity {
  protected cells: Point[] = []

  abstract get color(): string
  abstract step(): void

  occupies(point: Point): boolean {
    return this.cells.some((cell) => cell.x === point.x && cell.y === point.y)
  }

  draw(context: CanvasRenderingContext2D, size: number): void {
    context.fillStyle = this.color
    for (const cell of this.cells) {
      // One pixel of gap shows the grid.
      context.fillRect(cell.x * size, cell.y * size, size - 1, size - 1)
    }
  }
}
