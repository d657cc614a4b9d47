// Everything that pages may use from here.
export { Button, type ButtonVariant } from './Button'
export { Card, type CardProps } from './Card'
