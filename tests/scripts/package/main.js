const leftPad = require('left-pad');

module.exports.onActionCreated = ({ action }) => {
  logger.info(leftPad(action.customFields.number, 6, '0'));
  done();
};
