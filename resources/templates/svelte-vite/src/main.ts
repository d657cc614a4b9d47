import { mount } from 'svelte'
import ErrorBoundary from './ErrorBoundary.svelte'
import './index.css'

mount(ErrorBoundary, { target: document.getElementById('app')! })

// What the boundary does not see: event handlers and promises.
window.addEventListener('error', (event) => console.error('[app-error]', event.error ?? event.message))
window.addEventListener('unhandledrejection', (event) => console.error('[app-error]', event.reason))
