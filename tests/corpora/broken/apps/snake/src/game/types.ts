export interface Point {
  x: number
  y: number
}

export enum Direction {
  Up,
  Right,
  Down,
  Left,
}

export type Status = 'ready' | 'running' | 'over'

export const GRID = 20
