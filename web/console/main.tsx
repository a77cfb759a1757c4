import '../common/base.css'
