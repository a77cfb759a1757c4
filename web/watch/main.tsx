import '../common/base.css'
import './watch.css'
import './player/player.css'
import { createRoot } from 'react-dom/client'
import { createNavigation, NavigationProvider } from '../common/history.tsx'
import { createViewerApi } from './api/client.ts'
import { createResources } from './api/resources.ts'
import { App } from './app.tsx'
import { createPlayerChunk } from './player-chunk.ts'
import { matchRoute } from './route.ts'
import { WatchContext } from './shell/context.tsx'

const navigation = createNavigation(window)
const api = createViewerApi({
  fetch: (path, init) => fetch(path, init),
  storage: localStorage,
  languages: navigator.languages,
  now: Date.now,
})
// A page opened at the player needs its chunk first of all.
const player = createPlayerChunk()
if (matchRoute(navigation.location()).page === 'watch') void player.load()

const root = document.getElementById('root')
if (root === null) throw new Error('index.html must hold an element with the id "root"')
createRoot(root).render(
  <WatchContext value={{ api, resources: createResources(), player }}>
    <NavigationProvider navigation={navigation}>
      <App />
    </NavigationProvider>
  </WatchContext>,
)
