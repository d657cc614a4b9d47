import { fileURLToPath, URL } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, normalizePath } from 'vite'
import { apiInDevServer } from './server/core/vite-plugin.ts'

// The host application passes the port either as `--port N` or in PORT.
// strictPort: never drift to another port silently, the caller relies on it.
const port = Number(process.env.PORT) || 5173
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// Of a folder's name only letters that mean nothing in a glob are taken literally.
const inside = (folder: string) => `${normalizePath(here(folder)).replace(/[^\w/.:-]/g, '?')}/**`
const privateFolders = ['./data', './server']

export default defineConfig(({ isSsrBuild }) => ({
  plugins: [react(), tailwindcss(), apiInDevServer()],
  clearScreen: false,
  resolve: {
    alias: { '@': here('./src'), '@shared': here('./shared') },
  },
  server: {
    host: '127.0.0.1',
    port,
    strictPort: true,
    cors: false,
    watch: { ignored: [inside('./data')] },
    // Vite would hand out any file of the project to whoever asks.
    fs: { deny: ['.env', '.env.*', '*.{crt,pem}', '**/.git/**', ...privateFolders.map(inside)] },
  },
  build: isSsrBuild
    ? { outDir: 'dist/server', target: 'node22', copyPublicDir: false }
    : { outDir: 'dist/client' },
}))
