// The same for ES modules: one instance, whichever way it is loaded.
import libanchor from './index.js';

export const {
  anchored,
  anchorEnv,
  AnchorError,
  InvalidValueError,
  LibraryNotFoundError,
  NoSuchProcessError,
  UnsupportedPlatformError,
  UnusablePathError,
} = libanchor;
