import { describeError, Fault, faultCode } from '../../../kernel/index.ts'
import type { LinkConditions } from '../plan.ts'
import type { FromProxies, ToProxies } from './messages.ts'
import { createProxy } from './proxy.ts'
import { createTakeover } from './takeover.ts'

/**
 * The process of the fault proxies: apart from the storm's own, so that what passes here costs the generator nothing of the core it
 * is measured on. It lives as long as the storm does, however that ends, and puts every socket back.
 */
const links = new Map<string, { setConditions(conditions: LinkConditions): void; close(): void }>()

const send = (message: FromProxies): void => {
  if (process.connected) process.send?.(message)
}

function closeAll(): void {
  for (const { close } of links.values()) close()
  links.clear()
}

/** The port of what was asked for, 0 where there is none. */
function obey(message: ToProxies): number {
  switch (message.type) {
    case 'listen': {
      const proxy = createProxy({ listen: message.listen, target: message.target })
      links.set(message.link, proxy)
      return proxy.port
    }
    case 'take-over': {
      const takeover = createTakeover({ path: message.path })
      links.set(message.link, { setConditions: takeover.setConditions, close: takeover.release })
      return 0
    }
    case 'conditions': {
      const link = links.get(message.link)
      if (!link) throw new Fault('link-unknown', `no link is called ${message.link}; prepare it first`)
      link.setConditions(message.conditions)
      return 0
    }
    case 'close':
      closeAll()
      return 0
  }
}

// A terminal's signals are the storm's business.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit(0))
process.on('exit', closeAll)
process.on('message', (message: ToProxies) => {
  try {
    send({ type: 'done', id: message.id, port: obey(message) })
  } catch (error) {
    send({ type: 'failed', id: message.id, code: faultCode(error), message: describeError(error) })
  }
})
send({ type: 'hello' })
