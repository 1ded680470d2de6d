// Sets the property whose change it is told of, so that it is told again. Published scripts do, one level deep.
// @filter(onThngPropertiesChanged) propertyChangeNew.count=*
function onThngPropertiesChanged(event) {
  const count = event.changes.count.newValue + 1;
  app.thng(event.thng.id).property('count').update(count).then(() => {
    logger.info(`count is ${count}`);
    done();
  });
}
