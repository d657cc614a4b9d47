import { Entity } from './Entity'
import { GRID } from './types'

export class Food extends Entity {
  constructor() {
    super()
    this.step()
  }

  get color(): string {
    return '#dc2626'
  }

  /** Lies somewhere else from now on. */
  step(): void {
    this.cells = [{ x: random(GRID), y: random(GRID) }]
  }
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}
