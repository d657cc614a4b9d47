import { createApp } from 'vue'
import App from './App.vue'
import ErrorBoundary from './ErrorBoundary.vue'
import './index.css'

const app = createApp(ErrorBoundary, { page: App })
// What the boundary does not see: errors outside of its children.
app.config.errorHandler = (error, _instance, where) => console.error(`[app-error] in ${where}:`, error)
app.mount('#app')
