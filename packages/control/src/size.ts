export { formatBinaryBytes, formatBytes, parseSize } from '@daos/common';
