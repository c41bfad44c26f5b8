export { LAYOUT_VERSION } from './layout_key.js';
export { LayoutMode } from './map_view.js';
export type { ObjectLayout, ShardPlace } from './object_layout.js';
export { Placement, type PlaceOptions, type RebuildShard } from './placement.js';
