import { fileURLToPath, URL } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import { defineConfig } from 'vite'

// The host application passes the port either as `--port N` or in PORT.
// strictPort: never drift to another port silently, the caller relies on it.
const port = Number(process.env.PORT) || 5173

export default defineConfig({
  plugins: [tailwindcss()],
  clearScreen: false,
  resolve: {
    alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) },
  },
  server: { host: '127.0.0.1', port, strictPort: true },
  preview: { host: '127.0.0.1', port, strictPort: true },
})
