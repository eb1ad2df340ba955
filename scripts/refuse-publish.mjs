/** npm's prepublishOnly script: the checkout is not what is published, scripts/pack.mjs makes that. */
console.error(
  'Publish the tarballs that `npm run pack` leaves in build-packages: the checkout names no package of a platform.',
);
process.exitCode = 1;
