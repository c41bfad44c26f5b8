export { LAYOUT_VERSION } from './layout_key.js';
export { LayoutMode } from './map_view.js';
export { layoutContains, layoutGroup, type ObjectLayout, type ShardPlace } from './object_layout.js';
export { Placement } from './placement.js';
export {
  PlacementType,
  type PlacementInfo,
  type PlacementMap,
  type PlaceOptions,
  type RebuildOptions,
  type RebuildShard,
} from './placement_map.js';
