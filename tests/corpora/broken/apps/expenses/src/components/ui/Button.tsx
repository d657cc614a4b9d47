import type { ButtonHTMLAttributes } from 'react'

export type ButtonVariant = 'primary' | 'quiet'

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  variant?: ButtonVariant
}

export function Button({ variant = 'primary', className = '', ...rest }: ButtonProps) {
  const look = variant === 'primary' ? 'bg-emerald-600 text-white' : 'text-zinc-600 hover:bg-zinc-100'
  return <button type="button" className={`rounded-lg px-3 py-2 ${look} ${className}`} {...rest} />
}
