// Listens to one of many keys, and says how long after its update it was told.
// @filter(onThngPropertiesChanged) propertyChangeNew.k42=*
const onThngPropertiesChanged = ({ thng, changes }) => {
  const { newValue, timestamp } = changes.k42;
  logger.info(`${thng.id} ${newValue} ${Date.now() - timestamp}`);
  done();
};
