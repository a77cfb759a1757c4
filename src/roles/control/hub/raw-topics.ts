import { type Registry, TOPICS } from '../../../contracts/index.ts'

/**
 * Whether raw records may be appended to a topic: for pipes, or for nobody of the hub. Topics of events are not among these, since
 * whoever writes there speaks for anybody; nor are the platform's own.
 */
export function isRawTopic(topic: string, registry: Pick<Registry, 'topics'>): boolean {
  const own: readonly string[] = TOPICS
  return !own.includes(topic) && !registry.topics().includes(topic)
}
