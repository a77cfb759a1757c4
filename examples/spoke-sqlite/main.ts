import { parseArgs } from 'node:util'
import { createHubClient } from 'tentpole/client'
import { openTitlesByDay } from './titles-by-day.ts'

/** The events that this service knows; its team writes them down from `GET /hub/v1/schemas/<type>`. */
type Events = { 'tentpole.title.published.v1': { titleId: string } }

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:8081' },
    token: { type: 'string', default: process.env['HUB_TOKEN'] ?? '' },
    database: { type: 'string', default: 'titles-by-day.sqlite' },
  },
})

const view = openTitlesByDay(values.database)
const hub = createHubClient<Events>({ url: values.url, token: values.token })
const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())

// Rejects when coming back cannot help, such as with a revoked token: whoever runs this sees why it ended.
await hub.subscribe({
  name: 'titles-by-day',
  pattern: { type: ['tentpole.title.published.v1'] },
  start: 'beginning',
  signal: stop.signal,
  handler: ({ id, event }) => view.count(id, event.time.slice(0, 10)),
  onState: (state) => console.log(JSON.stringify(state)),
})
view.close()
