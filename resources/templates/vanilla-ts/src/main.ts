import { startApp } from './app'
import { guard } from './errors'
import './index.css'

guard(() => startApp(document.getElementById('app')!))
