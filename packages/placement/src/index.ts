export { LAYOUT_VERSION } from './layout_key.js';
export {
  layoutFormat,
  layoutJson,
  layoutParse,
  layoutSummary,
  layoutText,
  type LayoutJson,
  type LayoutSummary,
} from './layout_text.js';
export { LayoutMode } from './map_view.js';
export { layoutContains, layoutGroup, type ObjectLayout, type ShardPlace } from './object_layout.js';
export { Placement } from './placement.js';
export { createPlacement, type PlacementCreateOptions } from './placement_create.js';
export {
  PlacementType,
  type PlacementInfo,
  type PlacementMap,
  type PlaceOptions,
  type RebuildOptions,
  type RebuildShard,
} from './placement_map.js';
export { RingPlacement, type RingOptions } from './ring_placement.js';
