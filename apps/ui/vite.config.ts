// Three pages from one source: the server's, the dashboards' and the Alertmanager's. The apps serve `dist` as it is.
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = process.env['WATCHFIRE_PORT'] ?? '9090'
export default defineConfig({
  plugins: [react()],
  resolve: { conditions: ['@watchfire/source', 'module', 'browser', 'development|production'] },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      input: { server: 'server.html', dashboards: 'dashboards.html', alertmanager: 'alertmanager.html' },
    },
  },
  server: { proxy: { '/api': `http://127.0.0.1:${server}`, '/-': `http://127.0.0.1:${server}` } },
})
