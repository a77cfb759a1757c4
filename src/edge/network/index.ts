/** Addresses and networks are read in `contracts`: a cell signs for a network, an edge admits by it. */
export {
  type Address,
  contains,
  formatNetwork,
  type Network,
  networkOf,
  parseAddress,
  parseNetwork,
} from '../../contracts/index.ts'
export { clientKey } from './client-key.ts'
