import type { Delivery } from '../bus/target.ts'
import { signWebhook, WEBHOOK_HEADERS } from './standard-webhooks.ts'

export type WebhookRequest = { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array }

/**
 * One attempt's request, signed for its own time. An event as it is goes in CloudEvents' structured mode, data by reference
 * by reference; what a transformer made is plain JSON.
 */
export function toWebhookRequest(
  delivery: Pick<Delivery, 'id' | 'event' | 'input'>,
  signing: { readonly keys: readonly Uint8Array[]; readonly nowMs: number; readonly payloadBase: string | null },
): WebhookRequest {
  const isEvent = delivery.input === delivery.event
  const content = isEvent ? toContent(delivery.event, signing.payloadBase) : delivery.input
  const body = Buffer.from(JSON.stringify(content) ?? 'null')
  const id = toWebhookId(delivery.id)
  const timestampSeconds = Math.floor(signing.nowMs / 1_000)
  return {
    body,
    headers: {
      'content-type': isEvent ? 'application/cloudevents+json; charset=utf-8' : 'application/json',
      'content-length': String(body.byteLength),
      'user-agent': 'Tentpole-Webhooks/1',
      [WEBHOOK_HEADERS.id]: id,
      [WEBHOOK_HEADERS.timestamp]: String(timestampSeconds),
      [WEBHOOK_HEADERS.signature]: signWebhook({ id, timestampSeconds, body }, signing.keys),
    },
  }
}

function toContent(event: Delivery['event'], payloadBase: string | null): unknown {
  if (event.dataref === undefined) return event
  const { data: _, ...rest } = event
  return payloadBase === null ? rest : { ...rest, dataref: `${payloadBase}${event.dataref}` }
}

/**
 * Ids are any text that a publisher chose; a header takes less. And the signed text is `id.time.body`, so that an id with a
 * point could pass for another id and time: it is written as a URL's part is, which leaves our own ids as they are.
 */
export function toWebhookId(deliveryId: string): string {
  return encodeURIComponent(deliveryId.toWellFormed()).replaceAll('.', '%2E')
}
