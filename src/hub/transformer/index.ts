export {
  parseTransformer,
  type TransformContext,
  type Transformed,
  type Transformer,
  type TransformerFault,
} from './transformer.ts'
