import type { ButtonHTMLAttributes } from 'react'
import { buttonClass, type ButtonKind } from './buttonClass'

type Props = ButtonHTMLAttributes<HTMLButtonElement> & { kind?: ButtonKind; busy?: boolean }

export function Button({ kind = 'primary', busy = false, disabled, className, type = 'button', ...rest }: Props) {
  return (
    <button
      type={type}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={buttonClass(kind, className)}
      {...rest}
    />
  )
}
