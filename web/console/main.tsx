import '../common/base.css'
import './console.css'
import { createRoot } from 'react-dom/client'
import { createNavigation, NavigationProvider } from '../common/history.tsx'
import { createStaffApi } from './api.ts'
import { App } from './app.tsx'
import { createLiveLine } from './live/line.ts'
import { ConsoleContext } from './shell/context.tsx'
import { createTusSend } from './uploads/send.ts'
import { createUploads } from './uploads/uploads.ts'

const api = createStaffApi((path, init) => fetch(path, init))
const live = createLiveLine({
  url: '/api/events',
  open: (url) => new EventSource(url),
  probe: api.status,
  now: Date.now,
})
const uploads = createUploads({ api, send: createTusSend() })

const root = document.getElementById('root')
if (root === null) throw new Error('index.html must hold an element with the id "root"')
createRoot(root).render(
  <ConsoleContext value={{ api, live, uploads }}>
    <NavigationProvider navigation={createNavigation(window)}>
      <App />
    </NavigationProvider>
  </ConsoleContext>,
)
